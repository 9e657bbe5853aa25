# {% include "common/tests/test_tokenizer.py" %}
