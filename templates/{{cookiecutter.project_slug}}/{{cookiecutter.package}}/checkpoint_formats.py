# {% include "common/package/checkpoint_formats.py" %}
