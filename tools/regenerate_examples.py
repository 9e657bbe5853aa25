"""Regenerates every committed example project.

    python tools/regenerate_examples.py

A test renders the same projects and compares them byte for byte, so a change of
a template shows as a change of a generated project in the same commit.
`.tkgen/base.zip` is left out: it repeats the files beside it, and the lock holds
its hash.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from tkgen.answers import Answers, resolve_answers  # noqa: E402
from tkgen.catalog import Catalog, load_catalog  # noqa: E402
from tkgen.create import create_project  # noqa: E402
from tkgen.state import BASE_PATH  # noqa: E402

EXAMPLES_DIR = REPOSITORY / "generated_examples"

# Task, model and options of each example; its folder is named after all of them.
EXAMPLES = [
    ("qa", "bert"),
    ("qa", "albert"),
    ("sequence-classification", "albert"),
    ("token-classification", "bert"),
    ("token-classification", "bert", "crf"),
    ("sentence-embedding", "bert"),
    ("aspect-sentiment", "bert"),
    ("masked-lm", "albert"),
    ("feature-extraction", "albert"),
]


def example_answers(catalog: Catalog) -> list[Answers]:
    """Return the answers of every example."""
    return [
        resolve_answers(
            catalog, task, model, "-".join([task, model, *options]), options
        )
        for task, model, *options in EXAMPLES
    ]


def generate_example(catalog: Catalog, answers: Answers, folder: Path) -> Path:
    """Write one example into the folder and return where it stands."""
    create_project(catalog, answers, folder)
    project = folder / answers.project_slug
    (project / BASE_PATH).unlink()
    return project


def main() -> None:
    """Write every example anew."""
    catalog = load_catalog()
    EXAMPLES_DIR.mkdir(exist_ok=True)
    for answers in example_answers(catalog):
        shutil.rmtree(EXAMPLES_DIR / answers.project_slug, ignore_errors=True)
        print(generate_example(catalog, answers, EXAMPLES_DIR).relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
