# {% include "encoders/" ~ cookiecutter.model ~ "/tests/test_weights.py" %}
