# {% include "tasks/" ~ cookiecutter.task ~ "/tests/test_decoding.py" %}
