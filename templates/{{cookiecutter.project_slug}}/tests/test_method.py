# {% include "options/method/" ~ cookiecutter.method ~ "/tests/test_method.py" %}
