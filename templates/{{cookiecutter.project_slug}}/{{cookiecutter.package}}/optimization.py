# {% include "common/package/optimization.py" %}
