"""Training the last layers only: BERT's layers have numbers and own weights."""

from aspect_sentiment_bert.config import TrainConfig
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.model import build_model
from aspect_sentiment_bert.optimization import (
    freeze_layers,
)


def test_last_layers():
    """The embeddings and the lower layers are frozen; "layer_1" is not "layer_10"."""
    sizes = {"num_hidden_layers": 11, "hidden_size": 4, "num_attention_heads": 1}
    config = EncoderConfig(vocab_size=9, intermediate_size=4, **sizes)
    model = build_model(build_encoder(config), TrainConfig())
    freeze_layers(model, ["layer_1"])
    assert not model.get_layer("layer_1_output").trainable
    assert model.get_layer("layer_10_output").trainable
    freeze_layers(model, [], train_last_layers=1)
    trainable = {each.name for each in model.layers if each.trainable and each.weights}
    assert {name for name in trainable if name.startswith("layer_")} == {
        name for name in trainable if name.startswith("layer_10_")
    }
    assert "layer_10_output" in trainable and "embeddings_token" not in trainable
