"""Export a trained model to run without this project.

    python export.py                                  # newest run, as SavedModel
    python export.py --model-dir runs/one --format saved-model --check
    python export.py --format huggingface             # a folder for transformers
    python export.py --format google-checkpoint       # a TensorFlow checkpoint

The folder also gets the tokenizer and the settings, which the model is nothing
without. --check runs the export in a fresh process and compares it with Keras.
"""

from collections.abc import Sequence
from pathlib import Path

from aspect_sentiment_bert import (
    exporting,
    runs,
)
from aspect_sentiment_bert.errors import (
    ArgumentParser,
    run_command,
)
from aspect_sentiment_bert.method import TrainConfig


def main(arguments: Sequence[str]) -> None:
    """Export, and check the result where asked to."""
    parser = ArgumentParser("export.py", __doc__)
    parser.add_argument("--model-dir", default="", help="run folder; default: newest")
    parser.add_argument(
        "--format", default="saved-model", choices=sorted(exporting.FORMATS)
    )
    parser.add_argument(
        "--output-dir", default="", help="default: export/FORMAT in the run folder"
    )
    parser.add_argument(
        "--check", action="store_true", help="run the export and compare the outputs"
    )
    options = parser.parse_args(arguments)
    run = runs.load_run(options.model_dir, TrainConfig)
    folder = Path(options.output_dir or run.folder / "export" / options.format)
    exporting.export_run(run, options.format, folder)
    print(f"exported to {folder}")
    if options.check:
        difference = exporting.check_export(run, options.format, folder)
        print(f"checked: largest difference to the Keras model {difference:.1e}")


if __name__ == "__main__":
    run_command(main)
