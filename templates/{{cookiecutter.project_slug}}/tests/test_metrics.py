# {% include "tasks/" ~ cookiecutter.task ~ "/tests/test_metrics.py" %}
