# {% include "tasks/" ~ cookiecutter.task ~ "/package/features.py" %}
