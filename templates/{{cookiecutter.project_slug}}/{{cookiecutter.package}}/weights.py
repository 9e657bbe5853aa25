# {% include "common/package/weights.py" %}
