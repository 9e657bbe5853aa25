# {% include "common/package/hdf5_files.py" %}
