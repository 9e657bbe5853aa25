# {% include "options/method/" ~ cookiecutter.method ~ "/package/method.py" %}
