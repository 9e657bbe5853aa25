# {% include "common/package/sentencepiece_files.py" %}
