# {% include "common/evaluate.py" %}
