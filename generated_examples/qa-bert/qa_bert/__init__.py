"""The project's own code; relative imports only, so the folder can be moved."""

import os

# TensorFlow's start-up notes say nothing that a user can act on.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
