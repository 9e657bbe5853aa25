# {% include "common/tests/test_downloads.py" %}
