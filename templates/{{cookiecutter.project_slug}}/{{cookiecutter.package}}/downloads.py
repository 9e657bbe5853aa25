# {% include "common/package/downloads.py" %}
