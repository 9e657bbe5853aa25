# {% include "common/tests/test_weights.py" %}
