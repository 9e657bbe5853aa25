# {% include "common/tests/conftest.py" %}
