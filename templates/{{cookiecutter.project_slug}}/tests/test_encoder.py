# {% include "common/tests/test_encoder.py" %}
