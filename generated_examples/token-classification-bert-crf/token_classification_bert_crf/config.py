"""The training settings: one dataclass; every field is a flag of train.py."""

import dataclasses

from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of a run, each with the reason of its default."""

    # Data
    train_files: tuple[str, ...] = option(
        ("data/train.jsonl",),
        "files to learn from: JSONL, CoNLL columns, CoNLL-U, or seq.in beside seq.out",
    )
    validation_files: tuple[str, ...] = option(
        ("data/validation.jsonl",), "files scored after each epoch"
    )
    max_train_examples: int = option(
        0, "learn from so many, taken evenly from the files, for a quick try; 0: all"
    )
    max_length: int = option(
        256, "tokens of a window; few sentences are longer, and those get several"
    )
    stride: int = option(
        128, "tokens from the start of one window to the next; half a window overlaps"
    )
    # Labels
    scheme: str = option(
        "auto",
        "how the files' tags mark entities: iob1, iob2, bioes, bmes, bilou, or none "
        "where each label stands for itself, as parts of speech do; auto: see schemes",
    )
    tagging: str = option(
        "iob2",
        "the scheme that the model learns, iob2 or bioes: twice as many labels, which "
        "sometimes helps where there are many examples",
    )
    labels: tuple[str, ...] = option(
        (), "what the model's outputs stand for, in order; empty: as in the files"
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
    last_layers: int = option(
        1, "encoder layers put side by side for the classifier; BERT's paper tried 4"
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
    epochs: int = option(6, "small sets need more than BERT's 2 to 4")
    batch_size: int = option(16, "BERT's papers use 16 or 32")
    optimizer: str = option(
        "adamw", "BERT's own; lamb for batches of thousands, as ALBERT's"
    )
    learning_rate: float | None = option(
        None,
        "peak; empty: 1e-4, where weights are random 1e-3; BERT-base and larger want "
        "5e-5 or less",
    )
    head_learning_rate: float | None = option(
        None,
        "the head's rate as a multiple of the other; empty: what head.py says",
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
    patience: int = option(
        0, "stop after this many epochs without a better score; 0: never"
    )
    save_steps: int = option(
        500, "batches between the states that --resume starts from; also each epoch"
    )
    cache_dir: str = option(".cache", "where tokenized data is kept; empty: nowhere")
