# {% include "encoders/" ~ cookiecutter.model ~ "/tests/test_other_layouts.py" %}
