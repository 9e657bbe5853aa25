# {% include "common/tests/test_heads.py" %}
