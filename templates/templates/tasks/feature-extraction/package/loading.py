"""An encoder with its tokenizer: of a checkpoint, of a run, or with random weights."""

import dataclasses
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import keras
from tokenizers import Tokenizer

from . import runs
from .checkpoints import model_variables
from .config import ExtractConfig
from .dataset import Text
from .encoder import EncoderConfig, build_encoder
from .errors import UserError
from .model import build_model, encoder_options
from .selection import check_pooling, layer_numbers
from .tokenizer import load_tokenizer
from .variables import LateValues
from .vocabularies import make_tokenizer
from .weights import find_checkpoint, load_config, load_pretrained

VOCABULARY_TEXTS = 10_000  # a vocabulary is trained on so many of the first texts


def prepare_backend(config: ExtractConfig) -> None:
    """Set seed and number format; must come before any layer is built."""
    keras.utils.set_random_seed(config.seed)
    try:
        keras.config.set_dtype_policy(config.dtype)
    except ValueError as error:
        raise UserError(
            f'unknown dtype "{config.dtype}"',
            str(error).splitlines()[0],
            "use float32, mixed_bfloat16 or mixed_float16",
        ) from error


def new_encoder(
    config: ExtractConfig, texts: Iterable[Text]
) -> tuple[EncoderConfig, Tokenizer]:
    """Return the sizes of an encoder and its tokenizer; say so where it is random."""
    if config.pretrained:
        tokenizer = load_tokenizer(find_checkpoint(config.pretrained))
        return load_config(config.pretrained), tokenizer
    print(
        f"random weights, vocabulary {config.vocabulary}: for real weights give "
        "--pretrained a checkpoint's folder"
    )
    parts = (part for x in islice(texts, VOCABULARY_TEXTS) for part in (x.text, x.pair))
    tokenizer = make_tokenizer(
        config.vocabulary, config.vocab_size, (part for part in parts if part)
    )
    size = tokenizer.get_vocab_size()
    if config.encoder_config:
        sizes = EncoderConfig.from_json(config.encoder_config, vocab_size=size)
        return sizes, tokenizer
    return EncoderConfig.small(size), tokenizer


def settle(config: ExtractConfig, encoder_config: EncoderConfig) -> ExtractConfig:
    """Return the settings with each layer by its number, "-1" where it is the last.

    Raises UserError for layers and lengths that the encoder does not have.
    """
    depth = encoder_config.num_hidden_layers
    numbers = layer_numbers(config.layers, depth)
    check_pooling(config.pooling)
    check_length(config.max_length, encoder_config)
    layers = ("-1",) if numbers == (depth,) else tuple(map(str, numbers))
    return dataclasses.replace(config, layers=layers)


def check_length(max_length: int, encoder_config: EncoderConfig) -> None:
    """Raise UserError where inputs cannot be so long, or so short."""
    most, least = encoder_config.max_position_embeddings, 8
    if not least <= max_length <= most:
        long = max_length > most
        raise UserError(
            f"max_length {max_length} is too {'long' if long else 'short'}",
            (
                f"the encoder has {most} positions"
                if long
                else "[CLS], [SEP] and some tokens must fit in"
            ),
            f"--max-length {most if long else least}",
        )


def new_model(
    config: ExtractConfig, encoder_config: EncoderConfig
) -> tuple[keras.Model, str]:
    """Return a model for settled settings, and what was loaded, name by name.

    Raises UserError where the vectors would come from a layer that the checkpoint has
    not.
    """
    with LateValues():  # no random numbers for weights that come from a file
        encoder = build_encoder(encoder_config, **encoder_options(config))
        model = build_model(encoder, config)
        if not config.pretrained:
            return model, "all weights are random"
        report = load_pretrained(model, config.pretrained)
    print(f"{config.pretrained}: {report}")
    if "nsp" in config.pooling and "pooler/kernel" in report.random:
        raise UserError(
            'cannot pool by "nsp"',
            f"{config.pretrained} has no pooler: its output would be random",
            "--pooling cls or --pooling mean",
        )
    return model, report.details()


def load_encoder(
    config: ExtractConfig, folder: str, texts: Iterable[Text], **options: Any
) -> tuple[keras.Model, Tokenizer]:
    """Return an encoder with such outputs and its tokenizer.

    Its weights are those of a run's folder where one is given, else the checkpoint's
    of the settings, else random.
    """
    if not folder:
        encoder_config, tokenizer = new_encoder(config, texts)
        with LateValues():
            encoder = build_encoder(encoder_config, **options)
            if config.pretrained:
                load_pretrained(encoder, config.pretrained)
        return encoder, tokenizer
    run = runs.load_run(folder, ExtractConfig)
    sizes = EncoderConfig.from_json(Path(folder, "encoder_config.json"))
    encoder = build_encoder(sizes, **options)
    trained = model_variables(run.model)
    for name, variable in model_variables(encoder).items():
        variable.assign(trained[name])
    return encoder, run.tokenizer
