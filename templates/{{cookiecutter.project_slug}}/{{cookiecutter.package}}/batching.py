# {% include "common/package/batching.py" %}
