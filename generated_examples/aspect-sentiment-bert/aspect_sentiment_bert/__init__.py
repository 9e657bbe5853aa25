"""The project's own code; relative imports only, so the folder can be moved."""

import os

# TensorFlow's start-up notes say nothing that a user can act on.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN's kernels train a third faster on processors with AVX2. TensorFlow takes them
# by itself only where the processor also has AVX-512 or AMX.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
