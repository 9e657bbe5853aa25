# {% include "common/tests/test_training.py" %}
