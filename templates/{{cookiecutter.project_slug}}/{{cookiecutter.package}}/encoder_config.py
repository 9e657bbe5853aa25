# {% include "common/package/encoder_config.py" %}
