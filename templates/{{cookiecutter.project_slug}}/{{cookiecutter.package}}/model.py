# {% include "tasks/" ~ cookiecutter.task ~ "/package/model.py" %}
