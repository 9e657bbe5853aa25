# {% include "common/export.py" %}
