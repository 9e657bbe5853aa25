# {% include "common/tests/samples.py" %}
