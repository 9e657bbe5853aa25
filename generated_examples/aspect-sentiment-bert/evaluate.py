"""Score a trained model on files with answers.

    python evaluate.py                                # newest run, data/test.jsonl
    python evaluate.py --model-dir runs/one --files dev.jsonl

Writes metrics.json, predictions.jsonl and what helps to see the errors.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from aspect_sentiment_bert import (
    dataset,
    decoding,
    runs,
)
from aspect_sentiment_bert.errors import (
    ArgumentParser,
    run_command,
)
from aspect_sentiment_bert.method import TrainConfig


def main(arguments: Sequence[str]) -> None:
    """Predict, score, and write the results."""
    parser = ArgumentParser("evaluate.py", __doc__)
    parser.add_argument("--model-dir", default="", help="run folder; default: newest")
    parser.add_argument(
        "--files", nargs="+", default=["data/test.jsonl"], help="files with answers"
    )
    parser.add_argument(
        "--output-dir", default="", help="default: evaluation/ in the run folder"
    )
    options = parser.parse_args(arguments)
    run = runs.load_run(options.model_dir, TrainConfig)
    examples = []
    for path in options.files:
        found = dataset.load_examples(path, run.config)
        print(f"{path}: {dataset.describe(found)}")
        examples += found
    predictions = decoding.predict(
        run.model, examples, run.tokenizer, run.config, progress=True
    )
    scores = decoding.evaluate(examples, predictions, run.config)
    folder = Path(options.output_dir or run.folder / "evaluation")
    runs.write_text(folder / "metrics.json", json.dumps(scores, indent=2))
    lines = (json.dumps(each, ensure_ascii=False) for each in predictions)
    runs.write_text(folder / "predictions.jsonl", "\n".join(lines))
    written = decoding.write_report(folder, examples, predictions, run.config)
    figures = {k: v for k, v in scores.items() if not isinstance(v, dict)}
    print(json.dumps(figures, indent=2))  # metrics.json has the tables too
    names = ["metrics.json", "predictions.jsonl", *written]
    print(f"written to {folder}: {', '.join(names)}")


if __name__ == "__main__":
    run_command(main)
