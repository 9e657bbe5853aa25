"""What the model's outputs stand for: settled from the labels of the training files."""

import dataclasses
from collections.abc import Sequence

from . import schemes
from .config import TrainConfig
from .errors import UserError

TAGGINGS = ("iob2", "bioes")  # the schemes that a model can learn
Labelled = Sequence[tuple[str, Sequence[str]]]  # source, labels of the words


def model_labels(labels: Sequence[str], config: TrainConfig) -> list[str]:
    """Return a sentence's labels as the model learns and predicts them."""
    if config.scheme == "none":
        return list(labels)
    return schemes.convert(labels, config.tagging)


def settle_labels(config: TrainConfig, labelled: Labelled) -> TrainConfig:
    """Return the settings with the files' scheme and the model's labels.

    Entities get all tags of their type, also those that the files lack. Raises
    UserError where settings and files contradict each other.
    """
    if not labelled:
        raise UserError(
            "nothing to learn",
            "no training sentence has labels, or all are left out",
            "give --train-files with labels; what is left out is listed above",
        )
    check_choice("scheme", config.scheme, ("auto", *schemes.SCHEMES, "none"))
    check_choice("tagging", config.tagging, TAGGINGS)
    scheme = config.scheme
    if scheme == "auto":
        scheme = schemes.detect(labels for _, labels in labelled)
    elif scheme != "none":
        check_letters(scheme, labelled)
    config = dataclasses.replace(config, scheme=scheme)
    if not config.labels:
        return dataclasses.replace(config, labels=tuple(collect(config, labelled)))
    for source, labels in labelled:
        for label in model_labels(labels, config):
            if label not in config.labels:
                raise UserError(
                    f'{source}: the label "{label}" is not among --labels',
                    f"those are {', '.join(config.labels)}",
                    "add it, or leave --labels out: then the files decide",
                )
    return config


def collect(config: TrainConfig, labelled: Labelled) -> list[str]:
    """Return the labels of some sentences, "O" first, the others by the alphabet."""
    found = {label for _, labels in labelled for label in labels}
    if config.scheme == "none":
        return sorted(found, key=lambda label: (label != schemes.OUTSIDE, label))
    types = {span.label for _, labels in labelled for span in schemes.spans(labels)}
    return schemes.all_tags(types, config.tagging)


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise UserError for a value that is not among the choices."""
    if value not in choices:
        raise UserError(
            f'unknown {name} "{value}"',
            "there is none of that name",
            f"choose from {', '.join(choices)}",
        )


def check_letters(scheme: str, labelled: Labelled) -> None:
    """Raise UserError for a label that the scheme does not have."""
    letters = {*schemes.SCHEMES[scheme], "B"}
    for source, labels in labelled:
        for label in labels:
            if label != schemes.OUTSIDE and (
                not schemes.is_tag(label) or label[0] not in letters
            ):
                raise UserError(
                    f'{source}: the label "{label}" is none of {scheme.upper()}',
                    f"its letters are {', '.join(sorted(letters))}",
                    "give the files' own --scheme, or leave it out",
                )
