# {% include "common/tests/test_checkpoint_writers.py" %}
