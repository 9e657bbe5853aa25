"""Run folders: settings from flags, where a run lives, what the next command needs."""

import argparse
import dataclasses
import json
import types
import typing
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import keras
from tokenizers import Tokenizer

from .atomic import atomically
from .errors import ArgumentParser, UserError
from .tokenizer import load_tokenizer
from .variables import LateValues

RUNS = Path("runs")
Config = TypeVar("Config")


def option(default: Any, reason: str) -> Any:
    """Return a dataclass field whose reason is shown as the flag's help."""
    return dataclasses.field(default=default, metadata={"reason": reason})


def add_options(
    parser: argparse.ArgumentParser, config_class: type, names: Sequence[str] = ()
) -> None:
    """Add a flag for each field of a settings dataclass: `batch_size` → --batch-size.

    With `names`, for these fields alone. A flag that is not given is absent from the
    result, so that defaults stay the dataclass's own affair.
    """
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        if names and field.name not in names:
            continue
        kind, several = hints[field.name], False
        if typing.get_origin(kind) is tuple:
            kind, several = typing.get_args(kind)[0], True
        elif isinstance(kind, types.UnionType):
            kind = next(
                part for part in typing.get_args(kind) if part is not type(None)
            )
        shown = " ".join(field.default) if several else field.default
        metavar = "TRUE|FALSE" if kind is bool else kind.__name__.upper()
        help_text = f"{field.metadata['reason']} (default: {shown})"
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=parse_bool if kind is bool else kind,
            nargs="*" if several else None,
            default=argparse.SUPPRESS,
            help=help_text.replace("%", "%%"),
            metavar=metavar,
        )


def parse_bool(text: str) -> bool:
    """Return what a flag's "true" or "false" says; bool() holds any text for true."""
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def parse_settings(
    config_class: type[Config], arguments: Sequence[str], description: str
) -> tuple[Config, bool]:
    """Return the settings for a new or a resumed run, and whether to resume.

    A resumed run takes every setting from its folder; other flags are an error.
    """
    parser = ArgumentParser("train.py", description)
    add_options(parser, config_class)
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in --output-dir"
    )
    given = vars(parser.parse_args(arguments))
    resume = given.pop("resume")
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
    }
    if not resume:
        folder = Path(given.get("output_dir") or next_run())
        if is_taken(folder):
            raise UserError(
                f"the run folder {folder} is not empty",
                "a run is never overwritten",
                "give another --output-dir, or go on with that run: --resume",
                exit_code=3,
            )
        return config_class(**{**given, "output_dir": str(folder)}), False
    folder = Path(given.pop("output_dir", "") or latest_run("settings.json"))
    if given:
        raise UserError(
            f"--resume together with --{next(iter(given)).replace('_', '-')}",
            "a resumed run keeps the settings it was started with",
            "leave the flag out, or start a new run",
        )
    return load_settings(config_class, folder), True


def is_taken(folder: Path) -> bool:
    """Return whether a folder holds anything but leftovers of a killed start."""
    if not folder.exists():
        return False
    return any(not path.name.startswith("unfinished-") for path in folder.iterdir())


def next_run() -> Path:
    """Return the next free folder out of runs/001, runs/002 and so on."""
    numbers = [int(path.name) for path in RUNS.glob("*") if path.name.isdigit()]
    return RUNS / f"{max(numbers, default=0) + 1:03d}"


def latest_run(needed: str = "model.keras") -> Path:
    """Return the newest folder under runs/ that has the file `needed`."""
    found = sorted(RUNS.glob(f"*/{needed}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise UserError(
            "there is no run yet",
            f"no folder {RUNS}/*/ has a {needed}",
            "make one first, with the first command in README.md",
        )
    return found[-1].parent


def save_settings(config: Any, folder: Path) -> None:
    """Write a run's settings, readable and to be read again."""
    write_text(
        folder / "settings.json", json.dumps(dataclasses.asdict(config), indent=2)
    )


def load_settings(config_class: type[Config], folder: Path) -> Config:
    """Read the settings of a run; raise UserError where it is none."""
    path = folder / "settings.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return config_class(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
        )
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{folder} is not a run folder",
            f"cannot use {path.name}: {error}",
            "give the folder that a run wrote, for example runs/001",
        ) from error


@dataclasses.dataclass(frozen=True)
class Run:
    """A trained model with everything that belongs to it."""

    folder: Path
    model: keras.Model
    tokenizer: Tokenizer
    config: Any


def load_run(folder: str | Path, config_class: type) -> Run:
    """Load the best model of a run, its tokenizer and settings.

    An empty `folder` means the newest run. Raises UserError where a file is missing.
    """
    path = Path(folder) if folder else latest_run()
    config = load_settings(config_class, path)
    if not (path / "model.keras").exists():
        raise UserError(
            f"the run {path} has no model yet",
            "its first epoch was not finished",
            f"go on with it: python train.py --resume --output-dir {path}",
        )
    try:
        with LateValues():
            model = keras.saving.load_model(path / "model.keras", compile=False)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"cannot load {path / 'model.keras'}",
            str(error).splitlines()[0],
            "the file is damaged: make the run again, or take it from a copy",
        ) from error
    return Run(path, model, load_tokenizer(path), config)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a model without its optimizer, so that the file is whole or absent."""
    plain = keras.Model(model.input, model.output, name=model.name)
    with atomically(path) as unfinished:
        plain.save(unfinished)


def write_text(path: Path, text: str) -> None:
    """Write a text file so that it is whole or absent at any moment."""
    with atomically(path) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")
