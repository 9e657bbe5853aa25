# {% include "tasks/" ~ cookiecutter.task ~ "/package/spans.py" %}
