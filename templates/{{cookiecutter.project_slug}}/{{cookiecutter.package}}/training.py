# {% include "common/package/training.py" %}
