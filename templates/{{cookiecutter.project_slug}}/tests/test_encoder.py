# {% include "encoders/" ~ cookiecutter.model ~ "/tests/test_encoder.py" %}
