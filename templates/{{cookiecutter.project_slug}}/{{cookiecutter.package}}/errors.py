# {% include "common/package/errors.py" %}
