# {% include "common/package/vocabularies.py" %}
