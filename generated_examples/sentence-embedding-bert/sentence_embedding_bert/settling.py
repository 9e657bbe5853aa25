"""Settings that data and checkpoint decide: objective, scale, pooling, head, rate."""

import dataclasses
from collections.abc import Sequence

from .config import TrainConfig
from .errors import UserError
from .examples import Example
from .sentence_transformers_files import read_pooling
from .weights import find_checkpoint

OBJECTIVES = ("unsupervised", "supervised", "sts")
HEADS = ("train", "always", "none")
RATE_FROM_CHECKPOINT, RATE_FROM_RANDOM = 5e-5, 1e-3
USUAL_RANGES = ((0.0, 1.0), (0.0, 5.0))  # of scores, the narrower first


def settle(config: TrainConfig, examples: Sequence[Example]) -> TrainConfig:
    """Return the settings with each "auto" replaced by what is meant.

    Raises UserError where the data leave it open, or have nothing for the objective.
    """
    examples = [example for example in examples if not example.problem]
    objective = config.objective
    if objective == "auto":
        objective = find_objective(examples)
    choose("objective", objective, OBJECTIVES)
    if config.max_length < 3:
        raise UserError(
            f"max_length {config.max_length} is too short",
            "[CLS] and [SEP] take two tokens",
            "raise --max-length",
        )
    if not any(serves(example, objective) for example in examples):
        raise UserError(
            f"nothing to learn from with the objective {objective}",
            "supervised learning needs positives, sts needs scores",
            "give other --train-files or another --objective",
        )
    pooling = find_pooling(config)
    mlp = config.mlp
    if mlp == "auto":
        alone = objective == "unsupervised" and pooling == "cls"
        mlp = "train" if alone else "none"
    choose("mlp", mlp, HEADS)
    scores = [each.score for each in examples if each.score is not None]
    rate = config.learning_rate
    if rate is None:
        rate = RATE_FROM_CHECKPOINT if config.pretrained else RATE_FROM_RANDOM
    return dataclasses.replace(
        config,
        learning_rate=rate,
        objective=objective,
        score_range=find_range(config.score_range, scores),
        pooling=pooling,
        mlp=mlp,
    )


def choose(name: str, value: str, values: Sequence[str]) -> None:
    """Raise UserError where a setting has none of its values."""
    if value not in values:
        raise UserError(
            f'unknown {name} "{value}"',
            f"it is one of {', '.join(values)}",
            f"--{name} {values[0]}",
        )


def serves(example: Example, objective: str) -> bool:
    """Return whether an example can be learned from with an objective."""
    if example.problem:
        return False
    if objective == "sts":
        return example.score is not None
    return objective == "unsupervised" or example.positive is not None


def find_objective(examples: Sequence[Example]) -> str:
    """Return the objective that the data have labels for; more than one is an error."""
    scored = sum(serves(example, "sts") for example in examples)
    paired = sum(serves(example, "supervised") for example in examples)
    if scored and paired:
        raise UserError(
            "the training files have two kinds of labels",
            f"{scored} examples have a score, {paired} a positive",
            "--objective sts or --objective supervised uses one, and leaves the "
            "others out",
        )
    return "sts" if scored else "supervised" if paired else "unsupervised"


def find_range(given: Sequence[float], scores: Sequence[float]) -> tuple[float, ...]:
    """Return the lowest and the highest score; nothing where there are no scores."""
    if not scores:
        return tuple(given)
    own = (min(scores), max(scores))
    ranges = [tuple(given)] if given else [*USUAL_RANGES, own]
    for low, high in (each for each in ranges if len(each) == 2):
        if low <= own[0] and own[1] <= high and low < high:
            return low, high
    raise UserError(
        f"scores from {own[0]:g} to {own[1]:g} have no range",
        f"score_range is {list(given) or 'to be found'}; it is two numbers, the lower "
        "first, and holds all scores",
        "--score-range 0 5",
    )


def find_pooling(config: TrainConfig) -> str:
    """Return the pooling: as set, else the checkpoint's own, else the mean."""
    if config.pooling != "auto":
        return config.pooling
    found = None
    if config.pretrained:
        checkpoint = find_checkpoint(config.pretrained)
        found = read_pooling(checkpoint if checkpoint.is_dir() else checkpoint.parent)
    return found or "mean"
