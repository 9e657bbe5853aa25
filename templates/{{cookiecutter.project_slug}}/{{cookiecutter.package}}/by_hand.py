# {% include "common/package/by_hand.py" %}
