# {% include "tasks/" ~ cookiecutter.task ~ "/package/error_report.py" %}
