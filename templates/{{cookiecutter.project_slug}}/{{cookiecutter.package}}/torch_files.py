# {% include "common/package/torch_files.py" %}
