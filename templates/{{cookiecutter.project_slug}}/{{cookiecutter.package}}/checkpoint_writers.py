# {% include "common/package/checkpoint_writers.py" %}
