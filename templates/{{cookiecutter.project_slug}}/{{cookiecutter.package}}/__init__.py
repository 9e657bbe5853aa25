# {% include "common/package/__init__.py" %}
