"""What the labels are: one of several classes, several of them, or a number."""

import dataclasses
import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from . import metrics
from .checkpoints import find_checkpoint, find_config
from .config import TrainConfig
from .errors import UserError

KINDS = ("single", "multi", "regression")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

ENDLESS = ("nan", "inf", "infinity")
LARGEST = 1e38  # of float32, about

Label = str | tuple[str, ...]  # as it was written; a list where several may apply
Labelled = Sequence[tuple[str, Label]]  # source, label


def read_label(value: Any, separator: str) -> Label | None:
    """Return what a file has as a label, None where it cannot be one.

    A number of JSON becomes its text, true and false too; with a separator, a text
    becomes a list.
    """
    if isinstance(value, list):
        names = [read_label(each, "") for each in value]
        texts = [each for each in names if isinstance(each, str) and each]
        return tuple(dict.fromkeys(texts)) if len(texts) == len(names) else None
    if isinstance(value, str) and separator:
        parts = (part.strip() for part in value.split(separator))
        return tuple(dict.fromkeys(part for part in parts if part))
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    return None


def fit_label(label: Label, source: str, config: TrainConfig) -> Label:
    """Return a label in the form that its kind wants.

    Raises UserError where it is of another kind, or not among the known labels.
    """
    if config.kind == "multi" and isinstance(label, str):
        label = (label,)
    if config.kind == "single" and not isinstance(label, str):
        why = "the label is a list, but each text has one label"
        raise UserError(f"{source}: not an example", why, "train with --kind multi")
    if config.kind == "regression":
        number = isinstance(label, str) and NUMBER.fullmatch(label)
        if not number or abs(float(number[0])) > LARGEST:
            why = f'"{shown(label)}" is not a number, or is too large'
            raise UserError(
                f"{source}: not an example", why, "correct it, or --kind single"
            )
        return label
    unknown = [name for name in names_in(label) if name not in config.labels]
    if config.labels and unknown:
        near = difflib.get_close_matches(unknown[0], config.labels, 1, 0.0)[0]
        count = len(config.labels)
        raise UserError(
            f'{source}: unknown label "{unknown[0]}"',
            f'the model has {count} labels; the nearest is "{near}"',
            "correct it, leave the line out, or train with that label",
        )
    return label


def settle_labels(config: TrainConfig, labelled: Labelled) -> TrainConfig:
    """Return the settings with kind, labels and class weights in numbers.

    Raises UserError where settings and labels contradict each other.
    """
    if not labelled:
        raise no_training("no training example has a text and a label")
    kind = config.kind if config.kind != "auto" else guess_kind(labelled)
    config = dataclasses.replace(config, kind=kind)
    check_settings(config)
    if kind == "regression":
        for source, label in labelled:
            fit_label(label, source, config)
        return config
    names = dict.fromkeys(name for _, label in labelled for name in names_in(label))
    if not config.labels:
        chosen = checkpoint_labels(config.pretrained)
        chosen = chosen if set(chosen) == set(names) else sorted(names, key=order)
        config = dataclasses.replace(config, labels=tuple(chosen))
    if len(config.labels) < (2 if kind == "single" else 1):
        raise no_training(f"all labels are the same: {', '.join(config.labels)}")
    weights = class_weights(config, [label for _, label in labelled])
    written = (f"{n}={w:.6g}" for n, w in zip(config.labels, weights, strict=True))
    return dataclasses.replace(
        config, class_weights=tuple(written) if config.class_weights else ()
    )


def guess_kind(labelled: Labelled) -> str:
    """Return the kind that the labels' form says; raise UserError where they differ."""
    lists = {isinstance(label, tuple): source for source, label in labelled}
    if len(lists) == 2:
        raise UserError(
            "some labels are lists, some are not",
            f"a list stands at {lists[True]}, a single label at {lists[False]}",
            "write lists everywhere, or give --kind multi",
        )
    if lists.get(True):
        return "multi"
    texts = {str(label): source for source, label in labelled}
    others = [text for text in texts if not NUMBER.fullmatch(text)]
    whole = all(text.lstrip("+-").isdigit() for text in texts if text not in others)
    if not whole and others and all(x.lower().lstrip("+-") in ENDLESS for x in others):
        why = f'all labels are numbers but "{others[0]}"'
        remedy = "leave it out; if numbers are names of classes, give --kind single"
        raise UserError(f"{texts[others[0]]}: no finite number", why, remedy)
    return "single" if others or whole else "regression"


def check_settings(config: TrainConfig) -> None:
    """Raise UserError for settings that mean nothing, or nothing for this kind."""
    if config.kind not in KINDS:
        what, why = f'unknown kind "{config.kind}"', "there are only three, and auto"
        raise UserError(what, why, f"choose from {', '.join(KINDS)}, auto")
    figures = metrics.FIGURES[config.kind]
    if config.monitor and config.monitor not in figures:
        what = f'cannot monitor "{config.monitor}"'
        why = f"labels of kind {config.kind} have no such figure"
        raise UserError(what, why, f"choose from {', '.join(figures)}")
    if config.kind == "regression" and (config.labels or config.class_weights):
        why = "the labels are numbers, of kind regression"
        remedy = "leave the flag out, or give --kind single"
        raise UserError("--labels and --class-weights need classes", why, remedy)
    if len(set(config.labels)) < len(config.labels):
        raise UserError("--labels names a label twice", "each is one class", "once")


def class_weights(config: TrainConfig, labels: Sequence[Label]) -> list[float]:
    """Return how much each class counts in the loss, in the order of the labels.

    "balanced": of one label a text, examples / (classes · examples of the class), as
    in scikit-learn; of several, negatives / positives, for the positives alone.
    """
    counts = Counter(name for label in labels for name in names_in(label))
    if config.class_weights == ("balanced",):
        if config.kind == "single":
            share = len(labels) / len(config.labels)
            return [share / max(1, counts[name]) for name in config.labels]
        return [
            (len(labels) - counts[name]) / max(1, counts[name])
            for name in config.labels
        ]
    weights = dict.fromkeys(config.labels, 1.0)
    for part in config.class_weights:
        name, _, number = part.rpartition("=")
        if name not in weights or not NUMBER.fullmatch(number) or float(number) < 0:
            why = "it must be balanced, or the name of a label, = and a number"
            remedy = f'--class-weights "{config.labels[0]}=2.5"'
            raise UserError(f'unknown class weight "{part}"', why, remedy)
        weights[name] = float(number)
    return list(weights.values())


def checkpoint_labels(pretrained: str) -> list[str]:
    """Return the labels of a checkpoint's classifier in their order, if it says them.

    Where they are those of the data, the order must be kept: the classifier is loaded.
    """
    if not pretrained:
        return []
    try:
        path = find_config(find_checkpoint(pretrained))
        names = json.loads(path.read_text(encoding="utf-8"))["id2label"]
        return [str(names[number]) for number in sorted(names, key=int)]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # it says nothing; what is wrong with it is told where it is loaded


def order(name: str) -> tuple:
    """Return the key to sort labels by: whole numbers by value, before names."""
    return (0, int(name), name) if name.isascii() and name.isdigit() else (1, 0, name)


def names_in(label: Label | None) -> tuple[str, ...]:
    """Return the names in a label, one or several."""
    return (label,) if isinstance(label, str) else label or ()


def as_label(predicted: str | list[str]) -> Label:
    """Return a predicted label in the form of an example's."""
    return predicted if isinstance(predicted, str) else tuple(predicted)


def shown(label: Label | None) -> str:
    """Return a label to be read by a person."""
    return label if isinstance(label, str) else ", ".join(label or ()) or "(none)"


def no_training(why: str) -> UserError:
    """Return the error for training files that nothing can be learned from."""
    return UserError("nothing to learn", why, "give --train-files with labelled texts")
