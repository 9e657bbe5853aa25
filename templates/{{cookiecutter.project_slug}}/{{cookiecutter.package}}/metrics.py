# {% include "tasks/" ~ cookiecutter.task ~ "/package/metrics.py" %}
