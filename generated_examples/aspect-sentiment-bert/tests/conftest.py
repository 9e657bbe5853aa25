"""What several test files share: a small data set, and runs in a scratch folder."""

# Decides how TensorFlow computes, so it comes before Keras.
import aspect_sentiment_bert  # noqa: F401

# isort: split
import keras
import pytest


@pytest.fixture(autouse=True)
def scratch_folder(tmp_path, monkeypatch):
    """Let each test work in an empty folder, so that runs/ and .cache/ stay clean."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def float32_policy():
    """Undo a number format that a test has set."""
    yield
    keras.config.set_dtype_policy("float32")
