# {% include "encoders/" ~ cookiecutter.model ~ "/package/weight_names.py" %}
