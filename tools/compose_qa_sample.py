"""Composes the sample data of the QA template from the frames in ``qa_sample/``.

    python tools/compose_qa_sample.py                 # writes the three files anew
    python tools/compose_qa_sample.py --statistics    # also prints what is in them
    python tools/compose_qa_sample.py --show 40         # and some passages

The same script always writes the same bytes. Passages belong to one split only.
Validation and test use names that training does not. In the test file, passages
``test-names-…`` follow frames known from training, and passages ``test-new-…`` follow
frames of domains that occur nowhere else.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

from qa_sample.frames import Frame, read_all_frames
from qa_sample.passages import (
    Passage,
    ask_questions,
    compose_long_passage,
    compose_passage,
)

FOLDER = Path(__file__).parents[1] / "templates/templates/tasks/qa/data"
SEED = 27
# Id prefix: (split of the names, audiences of its frames, questions, long passages).
PLAN = {
    "train": ("train", ("train",), 2400, 8),
    "validation": ("validation", ("train", "validation"), 300, 2),
    "test-names": ("test", ("train",), 200, 1),
    "test-new": ("new", ("new",), 200, 2),
}
QUESTION_LIMITS = (1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 8)  # drawn from for each passage
ALTERNATIVES_KEPT_IN_TRAINING = 0.15  # elsewhere all acceptable answers are kept


def compose_part(
    prefix: str, all_frames: list[Frame], rng: random.Random
) -> list[Passage]:
    """Compose the passages of one id prefix, using its frames in turn."""
    split, audiences, wanted, long_count = PLAN[prefix]
    frames = [frame for frame in all_frames if frame.audience in audiences]
    passages = [compose_long_passage(frames, split, rng) for _ in range(long_count)]
    asked = sum(len(passage.questions) for passage in passages)
    texts: set[str] = set()
    queue: list[Frame] = []
    while asked < wanted:
        queue = queue or rng.sample(frames, len(frames))
        passage = compose_passage(queue.pop(), split, rng)
        if passage.text in texts:
            continue
        texts.add(passage.text)
        limit = min(rng.choice(QUESTION_LIMITS), wanted - asked)
        passage.questions = ask_questions(passage, limit, rng)
        asked += len(passage.questions)
        passages.append(passage)
    rng.shuffle(passages)
    return passages


def compose_all() -> dict[str, list[Passage]]:
    """Compose all passages, by id prefix.

    Unanswerable questions stay only where the same wording has an answer elsewhere.
    """
    frames = read_all_frames()
    parts = {
        prefix: compose_part(prefix, frames, random.Random(f"{SEED}-{prefix}"))
        for prefix in PLAN
    }
    passages = [passage for part in parts.values() for passage in part]
    questions = [question for passage in passages for question in passage.questions]
    answered = {question.form for question in questions if question.answers}
    for passage in passages:
        passage.questions = [
            asked for asked in passage.questions if asked.form in answered
        ]
    return {
        prefix: [one for one in part if one.questions] for prefix, part in parts.items()
    }


def write_records(prefix: str, passages: list[Passage]) -> list[dict]:
    """Write the passages of one id prefix as the records of a JSONL file."""
    rng = random.Random(f"{SEED}-{prefix}-records")
    records = []
    for passage_number, passage in enumerate(passages, 1):
        for question_number, question in enumerate(passage.questions, 1):
            answers = [
                {"text": text, "answer_start": start}
                for text, start in question.answers
            ]
            if prefix == "train" and rng.random() > ALTERNATIVES_KEPT_IN_TRAINING:
                answers = answers[:1]
            record = {
                "id": f"{prefix}-{passage_number:04d}-{question_number}",
                "question": question.text,
                "context": passage.text,
                "answers": answers,
            }
            records.append(record if answers else record | {"is_impossible": True})
    return records


def write_files(folder: Path) -> dict[str, list[dict]]:
    """Write the three files and return their records by file name."""
    files: dict[str, list[dict]] = {}
    for prefix, passages in compose_all().items():
        file_name = f"{prefix.partition('-')[0]}.jsonl"
        files.setdefault(file_name, []).extend(write_records(prefix, passages))
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (folder / file_name).write_text("".join(lines), encoding="utf-8", newline="\n")
    return files


def quantiles(numbers: list[float]) -> str:
    """Write minimum, quartiles, 95th percentile, maximum and mean."""
    ordered = sorted(numbers)
    points = [
        ordered[int(share * (len(ordered) - 1))]
        for share in (0, 0.25, 0.5, 0.75, 0.95, 1)
    ]
    mean = sum(ordered) / len(ordered)
    return " ".join(f"{point:g}" for point in points) + f" (mean {mean:.3g})"


def print_statistics(name: str, records: list[dict], size: int) -> None:
    """Print what one file holds."""
    contexts = {record["context"] for record in records}
    answered = [record for record in records if record["answers"]]
    firsts = [
        record["answers"][0] | {"context": record["context"]} for record in answered
    ]
    words = Counter(record["question"].split()[0] for record in records)
    print(f"{name}: {len(contexts)} passages, {len(records)} questions, {size:,} bytes")
    print(f"  unanswerable: {1 - len(answered) / len(records):.1%}")
    several = sum(len(record["answers"]) > 1 for record in answered)
    print(f"  several acceptable answers: {several}")
    print("  words of a passage:", quantiles([len(text.split()) for text in contexts]))
    print(
        "  words of an answer:", quantiles([len(one["text"].split()) for one in firsts])
    )
    places = [round(one["answer_start"] / len(one["context"]), 2) for one in firsts]
    print("  place of an answer:", quantiles(places))
    print(
        "  first words:",
        ", ".join(f"{word} {count}" for word, count in words.most_common(16)),
    )


def show_passages(count: int) -> None:
    """Print some passages of all splits with their questions and answers."""
    passages = [passage for part in compose_all().values() for passage in part]
    for passage in random.Random().sample(passages, count):
        print(f"\n({passage.split}, {passage.frame.name}) {passage.text}")
        for question in passage.questions:
            answers = " | ".join(text for text, _ in question.answers)
            print(f"  - {question.text}  [{answers or question.kind}]")


def main() -> None:
    """Write the files, and print what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write the files"
    )
    parser.add_argument(
        "--statistics", action="store_true", help="print what the files hold"
    )
    parser.add_argument("--show", type=int, default=0, help="print so many passages")
    arguments = parser.parse_args()
    for file_name, records in write_files(arguments.folder).items():
        if arguments.statistics:
            size = (arguments.folder / file_name).stat().st_size
            print_statistics(file_name, records, size)
    show_passages(arguments.show)


if __name__ == "__main__":
    main()
