# {% include "common/package/text_files.py" %}
