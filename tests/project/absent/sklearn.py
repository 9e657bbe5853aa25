"""Stands before scikit-learn, which a generated project's environment does not have.

Where it is installed, as it is for the tests, each import of Keras would take a second
longer.
"""

raise ImportError("a generated project has no scikit-learn")
