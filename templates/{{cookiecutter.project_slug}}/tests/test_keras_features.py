# {% include "common/tests/test_keras_features.py" %}
