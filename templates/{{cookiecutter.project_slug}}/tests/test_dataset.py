# {% include "tasks/" ~ cookiecutter.task ~ "/tests/test_dataset.py" %}
