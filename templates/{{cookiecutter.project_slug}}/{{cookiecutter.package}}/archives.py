# {% include "common/package/archives.py" %}
