# {% include "encoders/" ~ cookiecutter.model ~ "/package/known_checkpoints.py" %}
