# {% include "common/package/hub.py" %}
