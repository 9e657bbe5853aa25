# {% include "common/package/variables.py" %}
