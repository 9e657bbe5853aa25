"""The settings of an extraction: one dataclass; every field is a flag of extract.py."""

import dataclasses

from .runs import option


@dataclasses.dataclass(frozen=True)
class ExtractConfig:
    """Settings, each with the reason of its default."""

    # Vectors
    layers: tuple[str, ...] = option(
        ("-1",),
        "layers side by side, in this order: -1 the last, 1 the first, 0 the "
        "embeddings; -4: is the last four, 0: all",
    )
    pooling: tuple[str, ...] = option(
        ("mean",),
        "cls, nsp (BERT's pooler), max, mean, or several side by side, in this order; "
        "tokens: a vector for each token. Mean is the best without training",
    )
    # Texts
    max_length: int = option(
        128, "tokens of a text or pair; the rest is cut. Encoders have up to 512"
    )
    text_column: str = option(
        "", "field of the text in JSONL; empty: the usual names, such as text"
    )
    pair_column: str = option(
        "", "field of a second text; empty: the usual names; none: there is none"
    )
    # Model
    pretrained: str = option(
        "", "checkpoint folder or a short name; empty: random weights"
    )
    encoder_config: str = option(
        "", "JSON of encoder sizes when weights are random; empty: small ones"
    )
    vocabulary: str = option(
        "wordpiece",
        "when weights are random: wordpiece or unigram, to be trained on the input, or "
        "the path of a vocabulary",
    )
    vocab_size: int = option(8000, "tokens of a vocabulary to be trained")
    dtype: str = option(
        "float32",
        "mixed_bfloat16 is up to twice as fast where the processor has bfloat16; the "
        "vectors are float32 all the same",
    )
    # Run
    batch_size: int = option(
        32, "texts that go through the model at a time; it does not change the vectors"
    )
    output_dir: str = option(
        "",
        "folder that keeps the model, for --model-dir and export.py; empty: the next "
        "free runs/NNN, or none where --output is given",
    )
    seed: int = option(42, "the same seed gives the same random weights")


# The files that every project has call its settings so. Nothing is trained here.
TrainConfig = ExtractConfig
