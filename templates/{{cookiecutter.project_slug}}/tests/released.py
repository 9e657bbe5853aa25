# {% include "encoders/" ~ cookiecutter.model ~ "/tests/released.py" %}
