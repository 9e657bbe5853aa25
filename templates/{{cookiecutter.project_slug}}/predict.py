# {% include "common/predict.py" %}
