"""The training settings: one dataclass; every field is a flag of train.py."""

import dataclasses

from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of a run, each with the reason of its default."""

    # Data
    train_files: tuple[str, ...] = option(
        ("data/train.jsonl",),
        "files to learn from: JSONL, text, or a manifest of write_records",
    )
    validation_files: tuple[str, ...] = option(
        ("data/validation.jsonl",), "files scored after each epoch: JSONL or text"
    )
    text_lines: str = option(
        "sentences",
        "what the lines of a text file are: sentences, with a blank line between "
        "documents, as Google has it; or documents",
    )
    max_train_examples: int = option(
        0, "learn from so many documents, taken evenly, for a quick try; 0: all"
    )
    max_length: int = option(
        128, "tokens of a row; Google trains 9 of 10 steps with 128, then 512"
    )
    sentence_order: str = option(
        "auto",
        "nsp: does the second part follow (BERT); sop: are the parts swapped "
        "(ALBERT); none: one part, no such task; auto: what the model was made with",
    )
    short_seq_prob: float = option(
        0.1, "part of the documents that become shorter rows, as fine-tuning has them"
    )
    # Masks, drawn anew in each epoch
    mask_prob: float = option(0.15, "part of the tokens to predict; BERT's own")
    max_predictions: int = option(
        0, "most tokens to predict in a row; 0: what mask_prob gives"
    )
    mask_unit: str = option(
        "word",
        "masked together: word, all pieces of one; piece, each alone; chinese, words "
        "that jieba finds (pip install jieba)",
    )
    max_ngram: int = option(
        0, "most words masked side by side; 0: what the model was made with"
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
    vocabulary: str = option(
        "wordpiece",
        "when weights are random: wordpiece or unigram, to be trained on the training "
        "files, or the path of a vocabulary",
    )
    vocab_size: int = option(
        8000, "tokens of a vocabulary to be trained; 30,000 is usual for much text"
    )
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
    epochs: int = option(20, "for the sample; a large text needs one or a few")
    batch_size: int = option(16, "for a small text; Google's is 256, ALBERT's 4096")
    optimizer: str = option(
        "adamw", "BERT's own; lamb for batches of thousands, as ALBERT's"
    )
    learning_rate: float = option(
        1e-3,
        "peak, for small models; 1e-4 for BERT-base, 5e-5 to go on with real weights",
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
    # Predictions
    n_best: int = option(10, "tokens that are kept for each mask")
