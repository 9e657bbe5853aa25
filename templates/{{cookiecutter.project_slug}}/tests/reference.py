# {% include "encoders/" ~ cookiecutter.model ~ "/tests/reference.py" %}
