# {% include "common/tests/test_reshape.py" %}
