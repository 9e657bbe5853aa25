# {% include "common/train.py" %}
