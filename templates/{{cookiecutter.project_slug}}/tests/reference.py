# {% include "common/tests/reference.py" %}
