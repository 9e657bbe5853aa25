# {% include "common/tests/test_sentencepiece_files.py" %}
