# {% include "tasks/" ~ cookiecutter.task ~ "/package/config.py" %}
