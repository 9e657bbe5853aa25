# {% include "common/tests/test_checkpoint_formats.py" %}
