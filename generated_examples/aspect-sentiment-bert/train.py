"""Fine-tune the encoder on the task.

    python train.py                                   # the sample in data/
    python train.py --pretrained DIR                  # from real weights
    python train.py --pretrained DIR --train-files a.jsonl b.jsonl \\
        --validation-files dev.jsonl --epochs 3 --output-dir runs/one
    python train.py --resume --output-dir runs/one    # after a kill

The run folder gets everything that evaluate.py, predict.py and export.py need.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aspect_sentiment_bert import (
    dataset,
    decoding,
    metrics,
    optimization,
    runs,
    training,
)
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.errors import (
    UserError,
    run_command,
)
from aspect_sentiment_bert.method import (
    TrainConfig,
    make_trainer,
)
from aspect_sentiment_bert.model import (
    build_model,
    encoder_options,
)
from aspect_sentiment_bert.tokenizer import (
    load_tokenizer,
)
from aspect_sentiment_bert.variables import LateValues
from aspect_sentiment_bert.vocabularies import (
    make_tokenizer,
)
from aspect_sentiment_bert.weights import (
    find_checkpoint,
    load_config,
    load_pretrained,
)

if TYPE_CHECKING:
    import keras
    from tokenizers import Tokenizer


def main(arguments: Sequence[str]) -> None:
    """Train, keep the best model, and report its scores."""
    config, resume = runs.parse_settings(TrainConfig, arguments, __doc__)
    folder = Path(config.output_dir)
    training.prepare_backend(config)
    everything = load_all(config.train_files, config)
    train_examples = thin(everything, config.max_train_examples)
    resume = resume and bool(training.find_states(folder))
    if not resume:
        config = dataset.settle(config, everything)
    # After it is settled what the data must be like: a label that is not known, say.
    validation_examples = load_all(config.validation_files, config)
    with LateValues():  # no random numbers for weights that come from a file
        if resume:
            encoder_config = EncoderConfig.from_json(folder / "encoder_config.json")
            tokenizer = load_tokenizer(folder)
        else:
            encoder_config, tokenizer = new_encoder(config, train_examples)
        check_length(config, encoder_config)
        encoder = build_encoder(encoder_config, **encoder_options(config))
        model = build_model(encoder, config)
        frozen = optimization.freeze_layers(
            model, config.freeze, config.train_last_layers
        )
        print(f"{model.count_params():,} weights, {len(frozen)} layers frozen")
        report = "" if resume else load_weights(model, config)
    if not resume:
        runs.save_settings(config, folder)
        runs.write_text(folder / "encoder_config.json", encoder_config.to_json())
        runs.write_text(folder / "tokenizer.json", tokenizer.to_str())
        runs.write_text(folder / "weights.txt", report)
    best = train(model, tokenizer, config, train_examples, validation_examples, resume)
    finish(folder, validation_examples, best)


def score(
    model: "keras.Model",
    examples: Sequence[dataset.Example],
    tokenizer: "Tokenizer",
    config: TrainConfig,
) -> tuple[TrainConfig, dict[str, Any]]:
    """Return the settings as tuned on a model's predictions, and its scores."""
    predictions = decoding.predict(model, examples, tokenizer, config)
    config, predictions = decoding.tune(examples, predictions, config)
    return config, decoding.evaluate(examples, predictions, config)


def train(
    model: "keras.Model",
    tokenizer: "Tokenizer",
    config: TrainConfig,
    train_examples: Sequence[dataset.Example],
    validation_examples: Sequence[dataset.Example],
    resume: bool,
) -> tuple[TrainConfig, dict[str, Any]] | None:
    """Fit the model, from its newest state where it is resumed.

    Returns what `score` has found in the best epoch; None where that was not here.
    """
    found = {}

    def score_epoch() -> dict[str, float]:
        tuned, scores = score(model, validation_examples, tokenizer, config)
        found[len(keeper.history) + 1] = tuned, scores
        return reported(scores)

    batches = dataset.make_dataset(train_examples, tokenizer, config, training=True)
    folder, total_steps = Path(config.output_dir), int(batches.cardinality())
    print(f"{total_steps} steps of {config.batch_size}; run folder {folder}")
    optimizer = optimization.make_optimizer(config, total_steps)
    trainer = make_trainer(model, optimizer, config)
    # TensorFlow traces a training step that makes variables twice: make them now.
    trainer.optimizer.build(trainer.trainable_variables)
    steps_per_epoch = total_steps // max(1, config.epochs)
    monitor = f"val_{metrics.MONITOR}"
    keeper = training.RunKeeper(model, folder, monitor, steps_per_epoch, config)
    if resume:
        keeper.load_state(trainer)
        print(f"goes on after step {keeper.step}")
    if config.epochs == 0:  # what the weights can do before any training
        runs.save_model(model, folder / "model.keras")
    callbacks = [training.ValidationScore(score_epoch), keeper]
    callbacks += training.tensorboard_logs(folder)
    training.fit(trainer, batches, keeper, callbacks)
    return found.get(keeper.best_epoch)


def reported(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that are shown: those of REPORTED that there are."""
    return {name: scores[name] for name in metrics.REPORTED if name in scores}


def load_all(files: Sequence[str], config: TrainConfig) -> list[dataset.Example]:
    """Read the examples of all files, and say what is in them."""
    examples = []
    for path in files:
        found = dataset.load_examples(path, config)
        print(f"{path}: {dataset.describe(found)}")
        examples += found
    return examples


def thin(examples: list[dataset.Example], limit: int) -> list[dataset.Example]:
    """Return `limit` of the examples, evenly spaced; all where the limit is 0."""
    if not 0 < limit < len(examples):
        return examples
    return [examples[index * len(examples) // limit] for index in range(limit)]


def new_encoder(
    config: TrainConfig, examples: Sequence[dataset.Example]
) -> tuple[EncoderConfig, "Tokenizer"]:
    """Return the sizes of the run's encoder, and its tokenizer."""
    if config.pretrained:
        tokenizer = load_tokenizer(find_checkpoint(config.pretrained))
        encoder_config = load_config(config.pretrained)
        return encoder_config, tokenizer
    print(
        f"random weights, vocabulary {config.vocabulary}: for real weights give "
        "--pretrained a checkpoint's folder"
    )
    tokenizer = make_tokenizer(
        config.vocabulary, config.vocab_size, dataset.example_texts(examples)
    )
    vocab_size = tokenizer.get_vocab_size()
    encoder_config = EncoderConfig.small(vocab_size)
    if config.encoder_config:
        encoder_config = EncoderConfig.from_json(
            config.encoder_config, vocab_size=vocab_size
        )
    return encoder_config, tokenizer


def load_weights(model: "keras.Model", config: TrainConfig) -> str:
    """Load the pretrained weights, if any, and return what was done, name by name."""
    if not config.pretrained:
        return "all weights are random"
    report = load_pretrained(model, config.pretrained, skip=config.skip)
    print(f"{config.pretrained}: {report}")
    return report.details()


def check_length(config: TrainConfig, encoder_config: EncoderConfig) -> None:
    """Raise UserError where the encoder has no positions for such long inputs.

    On a GPU TensorFlow would read zeros there instead of failing.
    """
    if config.max_length > encoder_config.max_position_embeddings:
        raise UserError(
            f"max_length {config.max_length} is too long",
            f"the encoder has {encoder_config.max_position_embeddings} positions",
            f"--max-length {encoder_config.max_position_embeddings}",
        )


def finish(
    folder: Path,
    examples: Sequence[dataset.Example],
    best: tuple[TrainConfig, dict[str, Any]] | None,
) -> None:
    """Keep with the best model its scores, and what was tuned on its predictions."""
    if best is None:
        run = runs.load_run(folder, TrainConfig)
        best = score(run.model, examples, run.tokenizer, run.config)
    config, scores = best
    runs.write_text(folder / "metrics.json", json.dumps(scores, indent=2))
    runs.save_settings(config, folder)
    shown = (f"{name} {value:.2f}" for name, value in reported(scores).items())
    print(f"best model: {', '.join(shown)}")
    print(f"next: python evaluate.py --model-dir {folder}")


if __name__ == "__main__":
    run_command(main)
