# {% include "common/tests/torch_writer.py" %}
