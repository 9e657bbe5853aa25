# {% include "common/tests/test_torch_files.py" %}
