"""Composes the sample data of the masked-lm template from the frames of the QA sample.

    python tools/compose_masked_lm_sample.py               # writes the three files anew
    python tools/compose_masked_lm_sample.py --statistics  # also prints what they hold

The same script always writes the same bytes. A document is a passage of the kind that
the QA sample has. Validation and test use names that training does not, and no sentence
of theirs stands in the training file or in each other. In the test file, documents
``test-names-…`` follow frames known from training, ``test-new-…`` frames of domains
that occur nowhere else.
"""

import argparse
import json
import random
import re
from pathlib import Path

from qa_sample.frames import read_all_frames
from qa_sample.passages import compose_passage

FOLDER = Path(__file__).parents[1] / "templates/templates/tasks/masked-lm/data"
SEED = 31
# Id prefix: (split of the names, audiences of its frames, documents).
PLAN = {
    "train": ("train", ("train",), 800),
    "validation": ("validation", ("train", "validation"), 80),
    "test-names": ("test", ("train",), 60),
    "test-new": ("new", ("new",), 60),
}


def sentences_of(text: str) -> set[str]:
    """Return the sentences of a passage, in lower case."""
    return {part.lower() for part in re.split(r"(?<=[.!?]) ", text)}


def compose_all() -> dict[str, list[dict[str, str]]]:
    """Compose the records of each file, by its name."""
    frames = read_all_frames()
    files: dict[str, list[dict[str, str]]] = {}
    seen: set[str] = set()
    for prefix, (split, audiences, count) in PLAN.items():
        rng = random.Random(f"{SEED}-{prefix}")
        chosen = [frame for frame in frames if frame.audience in audiences]
        texts: dict[str, None] = {}
        own: set[str] = set()
        while len(texts) < count:
            text = compose_passage(rng.choice(chosen), split, rng).text
            if not sentences_of(text) & seen:
                texts[text] = None
                own |= sentences_of(text)
        seen |= own
        records = files.setdefault(f"{prefix.partition('-')[0]}.jsonl", [])
        records += [
            {"id": f"{prefix}-{number:04d}", "text": text}
            for number, text in enumerate(texts, 1)
        ]
    return files


def write_files(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Write the three files and return their records by file name."""
    files = compose_all()
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")
    return files


def main() -> None:
    """Write the files, and print what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write the files"
    )
    parser.add_argument(
        "--statistics", action="store_true", help="print what the files hold"
    )
    arguments = parser.parse_args()
    for name, records in write_files(arguments.folder).items():
        if arguments.statistics:
            texts = [record["text"] for record in records]
            sentences = [len(sentences_of(text)) for text in texts]
            words = [len(text.split()) for text in texts]
            print(
                f"{name}: {len(texts)} documents, {sum(sentences)} sentences, "
                f"{sum(words)} words, {sum(map(len, texts)):,} characters"
            )


if __name__ == "__main__":
    main()
