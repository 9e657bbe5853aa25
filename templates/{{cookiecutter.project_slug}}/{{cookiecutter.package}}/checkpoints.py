# {% include "common/package/checkpoints.py" %}
