# {% include "tasks/" ~ cookiecutter.task ~ "/tests/test_model.py" %}
