"""Hides what a generated project's environment does not have, before anything runs.

Keras would import scikit-learn each time, which takes a second, and write for
TensorBoard, which is an extra of a project: TensorFlow 2.21 does not bring it.
"""

import sys

for name in ("sklearn", "tensorboard"):
    sys.modules[name] = None  # type: ignore[assignment]
