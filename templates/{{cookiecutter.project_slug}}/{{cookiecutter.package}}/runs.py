# {% include "common/package/runs.py" %}
