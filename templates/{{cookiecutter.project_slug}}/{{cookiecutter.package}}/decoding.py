# {% include "tasks/" ~ cookiecutter.task ~ "/package/decoding.py" %}
