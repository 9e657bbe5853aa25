# {% include "common/tests/test_text_files.py" %}
