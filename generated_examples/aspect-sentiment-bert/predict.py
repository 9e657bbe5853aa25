"""Predict with a trained model.

    python predict.py                                 # shows five of data/test.jsonl
    python predict.py --text "…"                      # the texts of one example
    python predict.py --model-dir runs/one --input in.jsonl --output out.jsonl
    python predict.py --input in.jsonl --show         # to be read by a person

The output has a line for each line of the input; without --output it is printed.
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
    """Read, predict, and print or write."""
    parser = ArgumentParser("predict.py", __doc__)
    parser.add_argument("--model-dir", default="", help="run folder; default: newest")
    parser.add_argument("--text", nargs="+", help="texts of one example")
    parser.add_argument("--input", help="file of examples, as for training")
    parser.add_argument("--output", help="JSONL file to write")
    parser.add_argument(
        "--show", action="store_true", help="print to be read by a person"
    )
    parser.add_argument("--n-best", type=int, default=5, help="alternatives to give")
    options = parser.parse_args(arguments)
    run = runs.load_run(options.model_dir, TrainConfig)
    if options.text:
        examples = [dataset.example_from_texts(options.text)]
    else:
        path = options.input or "data/test.jsonl"
        examples = dataset.load_examples(path, run.config, labelled=False)
    shown = options.show or not (options.input or options.output)
    if shown and not (options.text or options.input):
        examples = examples[:: max(1, len(examples) // 5)][:5]
    predictions = decoding.predict(
        run.model, examples, run.tokenizer, run.config, progress=bool(options.output)
    )
    if shown:
        for example, prediction in zip(examples, predictions, strict=True):
            print(decoding.show(example, prediction, options.n_best), end="\n\n")
    lines = [
        json.dumps(decoding.shorten(each, options.n_best), ensure_ascii=False)
        for each in predictions
    ]
    if options.output:
        runs.write_text(Path(options.output), "\n".join(lines))
        print(f"{len(lines)} predictions in {options.output}")
    elif not shown:
        print("\n".join(lines))


if __name__ == "__main__":
    run_command(main)
