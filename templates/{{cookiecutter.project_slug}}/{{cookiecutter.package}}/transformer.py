# {% include "common/package/transformer.py" %}
