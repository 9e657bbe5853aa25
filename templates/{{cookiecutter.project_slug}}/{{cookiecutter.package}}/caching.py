# {% include "common/package/caching.py" %}
