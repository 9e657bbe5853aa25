# {% include "common/package/serving.py" %}
