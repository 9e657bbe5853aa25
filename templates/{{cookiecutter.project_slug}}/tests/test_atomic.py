# {% include "common/tests/test_atomic.py" %}
