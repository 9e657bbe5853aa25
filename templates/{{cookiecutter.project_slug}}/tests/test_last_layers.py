# {% include "encoders/" ~ cookiecutter.model ~ "/tests/test_last_layers.py" %}
