# {% include "common/package/exporting.py" %}
