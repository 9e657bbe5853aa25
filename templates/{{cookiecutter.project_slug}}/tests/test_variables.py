# {% include "common/tests/test_variables.py" %}
