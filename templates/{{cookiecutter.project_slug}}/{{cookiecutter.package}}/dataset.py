# {% include "tasks/" ~ cookiecutter.task ~ "/package/dataset.py" %}
