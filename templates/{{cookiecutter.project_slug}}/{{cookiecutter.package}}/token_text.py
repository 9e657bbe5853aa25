# {% include "common/package/token_text.py" %}
