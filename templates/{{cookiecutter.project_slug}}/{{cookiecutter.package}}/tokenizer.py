# {% include "common/package/tokenizer.py" %}
