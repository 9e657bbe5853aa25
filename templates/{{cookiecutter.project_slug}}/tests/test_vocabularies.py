# {% include "common/tests/test_vocabularies.py" %}
