"""What tests of training need: a batch of the sample, and a small model for it."""

from pathlib import Path

import keras
import numpy as np

import train
from sentence_embedding_bert import (
    dataset,
    vocabularies,
)
from sentence_embedding_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from sentence_embedding_bert.model import (
    build_model,
    encoder_options,
)

DATA = Path(train.__file__).parent / "data"
SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 64, "initializer_range": 0.1}
DROPOUT = {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.3}


def load_batch(config_class, **settings):
    """Return settings for a few lines of the sample, their tokenizer, and a batch."""
    examples = dataset.load_examples(DATA / "train.jsonl")[:16]
    given = {"batch_size": 8, "epochs": 1, "cache_dir": "", **settings}
    config = dataset.settle(config_class(**given), examples)
    texts = dataset.example_texts(examples)
    tokenizer = vocabularies.make_tokenizer("wordpiece", 300, texts)
    batches = dataset.make_dataset(examples, tokenizer, config, training=True)
    return config, tokenizer, *next(batches.as_numpy_iterator())


def small_model(config, tokenizer, *, dropout=True, **sizes):
    """Return a model with random weights, the same ones each time."""
    keras.utils.set_random_seed(7)
    sizes = EncoderConfig(tokenizer.get_vocab_size(), **{**SIZES, **DROPOUT, **sizes})
    model = build_model(build_encoder(sizes, **encoder_options(config)), config)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout) and not dropout:
            layer.rate = 0.0
    return model


def learn(model, inputs, targets):
    """Make one update and return the loss, whatever the number of outputs."""
    # A step that makes the optimizer's variables would be traced twice.
    model.optimizer.build(model.trainable_variables)
    return float(model.train_on_batch(inputs, targets, return_dict=True)["loss"])


def weights_of(model):
    """Return a copy of each weight by its path."""
    return {weight.path: np.array(weight) for weight in model.weights}
