"""The training settings: one dataclass; every field is a flag of train.py."""

import dataclasses

from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of a run, each with the reason of its default."""

    # Data
    train_files: tuple[str, ...] = option(
        ("data/train.jsonl",), "files to learn from: JSONL, JSON, CSV or TSV"
    )
    validation_files: tuple[str, ...] = option(
        ("data/validation.jsonl",), "files scored after each epoch"
    )
    max_train_examples: int = option(
        0, "learn from so many, taken evenly from the files, for a quick try; 0: all"
    )
    text_column: str = option(
        "", "field or column of the text; empty: a usual name, see records.py"
    )
    pair_column: str = option(
        "", 'the same for the second text of a pair; "none" where it shall not be read'
    )
    label_column: str = option("", "the same for the label")
    label_separator: str = option(
        "",
        'what stands between several labels in one cell, such as ";"; empty: nothing',
    )
    max_length: int = option(
        128, "tokens; of a pair the longer text loses its end first, as in BERT's code"
    )
    # Labels
    kind: str = option(
        "auto",
        "single: one label a text; multi: any number of them; regression: a number; "
        "auto: lists are multi, numbers with a fraction regression, all else single",
    )
    labels: tuple[str, ...] = option(
        (), "names of the classes in their order; empty: those of the training files"
    )
    class_weights: tuple[str, ...] = option(
        (),
        '"balanced", where rare classes shall count as much as frequent ones, or '
        'numbers such as "spam=2.5"; empty: each example counts the same',
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
    classifier_dropout: float = option(
        0.1, "before the classifier; BERT's own, also where the encoder has none"
    )
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
    epochs: int = option(4, "BERT's papers use 2 to 4")
    batch_size: int = option(16, "BERT's papers use 16 or 32")
    optimizer: str = option(
        "adamw", "BERT's own; lamb for batches of thousands, as ALBERT's"
    )
    learning_rate: float | None = option(
        None,
        "peak; empty: 1e-4, and 5e-4 from random weights; 5e-5 or less for BERT-base "
        "and larger, small models bear more",
    )
    warmup_ratio: float = option(
        0.1, "part of the steps in which the rate rises from 0; then it falls to 0"
    )
    weight_decay: float = option(0.01, "BERT's own; biases and LayerNorm are exempt")
    clip_norm: float = option(1.0, "largest norm of all gradients together; BERT's own")
    gradient_accumulation: int = option(
        1, "batches whose gradients are averaged into one update, where memory is short"
    )
    # Run
    output_dir: str = option("", "run folder; empty: the next free runs/NNN")
    seed: int = option(42, "the same seed on the same machine gives the same weights")
    monitor: str = option(
        "",
        "figure that picks the best epoch; empty: accuracy, of several labels "
        "micro_f1, of numbers spearman; macro_f1 where rare classes matter",
    )
    patience: int = option(
        0, "stop after this many epochs without a better score; 0: never"
    )
    save_steps: int = option(
        500, "batches between the states that --resume starts from; also each epoch"
    )
    cache_dir: str = option(".cache", "where tokenized data is kept; empty: nowhere")
    # Predictions
    threshold: float | None = option(
        None,
        "of several labels, those at least so probable are given; empty: the one of "
        "best micro F1 on the validation files",
    )
