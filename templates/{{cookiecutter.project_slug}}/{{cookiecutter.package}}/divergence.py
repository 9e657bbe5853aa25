# {% include "common/package/divergence.py" %}
