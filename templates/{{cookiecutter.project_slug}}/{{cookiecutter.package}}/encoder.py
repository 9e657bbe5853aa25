# {% include "encoders/" ~ cookiecutter.model ~ "/package/encoder.py" %}
