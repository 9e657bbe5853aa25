# {% include "encoders/" ~ cookiecutter.model ~ "/package/weights.py" %}
