# {% include "common/package/atomic.py" %}
