"""tkgen writes complete, editable Keras BERT projects."""

__version__ = "0.1.0"
