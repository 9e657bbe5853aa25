# {% include "common/package/reshape.py" %}
