"""The training settings: one dataclass; every field is a flag of train.py."""

import dataclasses

from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of a run, each with the reason of its default."""

    # Data
    train_files: tuple[str, ...] = option(
        ("data/train.jsonl",), "files to learn from: JSONL, CSV, TSV, STS, SNLI or text"
    )
    validation_files: tuple[str, ...] = option(
        ("data/validation.jsonl",), "files of pairs, scored after each epoch"
    )
    max_train_examples: int = option(
        0, "learn from so many, taken evenly from the files, for a quick try; 0: all"
    )
    max_length: int = option(
        64, "tokens of a sentence; the rest is cut. SimCSE has 32, paragraphs need more"
    )
    # Objective
    objective: str = option(
        "auto",
        "unsupervised, supervised or sts; auto: sts where the training files have "
        "scores, supervised where they have positives, else unsupervised",
    )
    temperature: float = option(
        0.05, "divides the cosines, as in SimCSE; lower: the nearest negatives count"
    )
    hard_negative_weight: float = option(
        0.0,
        "added to the logit of a sentence's own negative, after the division; "
        "SimCSE's default. Its logarithm of n counts the negative n times",
    )
    score_range: tuple[float, ...] = option(
        (),
        "lowest and highest score, for sts; empty: the first of 0 to 1, 0 to 5 and "
        "the data's own range that holds them all",
    )
    # Model
    pretrained: str = option(
        "", "checkpoint folder or a short name; empty: random weights"
    )
    skip: tuple[str, ...] = option(
        (), "parts of the checkpoint that stay random, such as head or pooler"
    )
    encoder_config: str = option(
        "", "JSON of encoder sizes when weights are random; empty: small ones"
    )
    pooling: str = option(
        "auto",
        "cls, pooler, mean, max or first-last; auto: what the checkpoint's "
        "1_Pooling/config.json says, else mean",
    )
    mlp: str = option(
        "auto",
        "SimCSE's tanh layer on the pooled vector: train, always or none; auto: train "
        "for unsupervised learning with pooling cls, else none",
    )
    normalize: bool = option(True, "vectors of length 1, so that products are cosines")
    vocabulary: str = option(
        "wordpiece",
        "when weights are random: wordpiece or unigram, to be trained on the training "
        "files, or the path of a vocabulary",
    )
    vocab_size: int = option(8000, "tokens of a vocabulary to be trained")
    dtype: str = option(
        "float32",
        "mixed_bfloat16 is up to twice as fast where the processor has bfloat16",
    )
    freeze: tuple[str, ...] = option(
        (), 'layer names or beginnings that do not train, such as "embeddings layer_0"'
    )
    train_last_layers: int = option(
        -1, "train only the last n encoder layers and the head; -1: all"
    )
    # Optimization
    epochs: int = option(3, "SimCSE has 3 with labels, 1 on a million lines without")
    batch_size: int = option(
        64, "each sentence is told from the others of its batch: larger is better"
    )
    optimizer: str = option(
        "adamw", "BERT's own; lamb for batches of thousands, as ALBERT's"
    )
    learning_rate: float | None = option(
        None,
        "peak; empty: 5e-5 from a checkpoint, where SimCSE has 3e-5 for BERT-base, and "
        "1e-3 from random weights, which need and bear more",
    )
    warmup_ratio: float = option(
        0.1, "part of the steps in which the rate rises from 0; then it falls to 0"
    )
    weight_decay: float = option(0.01, "BERT's own; biases and LayerNorm are exempt")
    clip_norm: float = option(1.0, "largest norm of all gradients together; BERT's own")
    gradient_accumulation: int = option(
        1, "batches averaged into one update; each still has its own negatives only"
    )
    # Run
    output_dir: str = option("", "run folder; empty: the next free runs/NNN")
    seed: int = option(42, "the same seed on the same machine gives the same weights")
    patience: int = option(
        0, "stop after this many epochs without a better score; 0: never"
    )
    save_steps: int = option(
        500, "batches between the states that --resume starts from; also each epoch"
    )
    cache_dir: str = option(".cache", "where tokenized data is kept; empty: nowhere")
