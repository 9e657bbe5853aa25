# {% include "common/package/spelling.py" %}
