"""Turn texts into vectors.

    python extract.py                                 # data/texts.jsonl, a new run
    python extract.py --pretrained DIR --input texts.txt --output vectors.npy
    python extract.py --pretrained DIR --layers -1 -2 -3 -4 --pooling cls mean \\
        --input in.jsonl --output vectors.npz
    python extract.py --pretrained DIR --pooling tokens --text "A text" "its pair"
    python extract.py --model-dir runs/001 --input - --output vectors.jsonl < in.txt

The output ends in .npy, .npz or .jsonl and keeps the order of the input. Neither has to
fit in memory.
"""

import contextlib
import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from {{ cookiecutter.package }} import (
    dataset,
    extraction,
    loading,
    runs,
    selection,
    writers,
)
from {{ cookiecutter.package }}.config import (
    ExtractConfig,
)
from {{ cookiecutter.package }}.dataset import Text
from {{ cookiecutter.package }}.encoder import (
    EncoderConfig,
)
from {{ cookiecutter.package }}.errors import (
    ArgumentParser,
    UserError,
    run_command,
)
from {{ cookiecutter.package }}.model import (
    serving_model,
)

# What can be given beside --model-dir; all else is as the model was made.
FREE = ("max_length", "text_column", "pair_column", "batch_size")
NOTED = 3  # places that are named of texts without tokens


def main(arguments: Sequence[str]) -> None:
    """Read, extract, and write or print."""
    options, given = parse(arguments)
    config = settings(options, given)
    # With --text, standard output has nothing but the vectors.
    to_print = bool(options["text"]) and not options["output"]
    with tempfile.TemporaryDirectory() as scratch:
        with contextlib.redirect_stdout(sys.stderr if to_print else sys.stdout):
            read = reader(options, config, Path(scratch))
            count, id_width = dataset.measure(read(), options["input"])
            if options["model_dir"]:
                run = load_run(options["model_dir"], config)
            else:
                kept = config.output_dir or not (options["output"] or to_print)
                run = make_run(config, read, bool(kept))
        if to_print:
            print_vectors(run, read())
            return
        output = Path(options["output"] or run.folder / "vectors.npz")
        write_vectors(run, read(), output, count, id_width)


def parse(arguments: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the script's own options, and the settings that were given."""
    parser = ArgumentParser("extract.py", __doc__)
    parser.add_argument("--input", default="data/texts.jsonl", help="- is stdin")
    parser.add_argument("--text", nargs="+", default=[], help="a text, or a pair")
    parser.add_argument("--output", default="", help=".npy, .npz or .jsonl file")
    parser.add_argument("--model-dir", default="", help="a run, to use its model")
    runs.add_options(parser, ExtractConfig)
    given = vars(parser.parse_args(selection.hide_minus(arguments)))
    options = {
        name: given.pop(name) for name in ("input", "text", "output", "model_dir")
    }
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
    }
    return options, given


def settings(options: dict[str, Any], given: dict[str, Any]) -> ExtractConfig:
    """Return the settings, those of --model-dir where it is given, with flags put in.

    Raises UserError for flags that do not go together.
    """
    fixed = [name for name in given if name not in FREE]
    if not options["model_dir"]:
        config = ExtractConfig(**given)
    elif fixed or not (options["output"] or options["text"]):
        what = "without --output"
        if fixed:
            what = f"together with --{fixed[0].replace('_', '-')}"
        raise UserError(
            f"--model-dir {what}",
            "a run is left as it is, and its model as it was made",
            "give --output, and no flags of the model",
        )
    else:
        saved = runs.load_settings(ExtractConfig, Path(options["model_dir"]))
        config = dataclasses.replace(saved, **given)
    selection.check_pooling(config.pooling)
    if options["output"]:
        writers.check_output(Path(options["output"]), "tokens" in config.pooling)
    return config


def reader(
    options: dict[str, Any], config: ExtractConfig, scratch: Path
) -> Callable[[], Iterable[Text]]:
    """Return a function that begins to read the texts, whenever it is called."""
    if len(options["text"]) > 2:
        raise UserError(
            f"--text has {len(options['text'])} texts",
            "a vector is that of one text or of a pair",
            "put quotation marks around each text",
        )
    if options["text"]:
        return lambda: [Text("text", *options["text"])]
    path, name = Path(options["input"]), options["input"]
    if name == "-":  # it is read twice
        path, name = scratch / "stdin", "standard input"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        with path.open("rb") as file:
            is_json = file.read(1000).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")
        path = path.rename(path.with_suffix(".jsonl" if is_json else ".txt"))
    return lambda: dataset.read_texts(path, config, name)


def load_run(folder: str, config: ExtractConfig) -> runs.Run:
    """Return a run's model with settings of which some may be new."""
    run = runs.load_run(folder, ExtractConfig)
    sizes = EncoderConfig.from_json(run.folder / "encoder_config.json")
    loading.check_length(config.max_length, sizes)
    return dataclasses.replace(run, config=config)


def make_run(
    config: ExtractConfig, read: Callable[[], Iterable[Text]], kept: bool
) -> runs.Run:
    """Return a new model; `kept` writes it, and what belongs to it, into a folder."""
    folder = Path(config.output_dir or runs.next_run())
    if kept and runs.is_taken(folder):
        raise UserError(
            f"the run folder {folder} is not empty",
            "a run is never overwritten",
            f"give another --output-dir, or use its model: --model-dir {folder}",
            exit_code=3,
        )
    loading.prepare_backend(config)
    sizes, tokenizer = loading.new_encoder(config, read())
    config = loading.settle(config, sizes)
    model, report = loading.new_model(config, sizes)
    if kept:
        runs.write_text(folder / "encoder_config.json", sizes.to_json())
        runs.write_text(folder / "tokenizer.json", tokenizer.to_str())
        runs.write_text(folder / "weights.txt", report)
        runs.save_model(model, folder / "model.keras")
        runs.save_settings(config, folder)  # last: with them the folder is a run
        print(f"model, tokenizer and settings are in {folder}")
    return runs.Run(folder, model, tokenizer, config)


def chunks_of(run: runs.Run, texts: Iterable[Text]) -> Iterator[extraction.Chunk]:
    """Yield the vectors of the texts with the run's model."""
    model = serving_model(run.model, run.config)
    return extraction.extract(model, texts, run.tokenizer, run.config)


def print_vectors(run: runs.Run, texts: Iterable[Text]) -> None:
    """Print a line of JSON for each text."""
    for chunk in chunks_of(run, texts):
        writers.print_lines(sys.stdout, chunk, run.tokenizer)


def write_vectors(
    run: runs.Run, texts: Iterable[Text], output: Path, count: int, id_width: int
) -> None:
    """Write the vectors, and say how many there are and what was cut."""
    bar = extraction.progress_bar(count)
    found = chunks_of(run, texts)
    done = vectors = cut = 0
    empty: list[str] = []
    for chunk in writers.write(output, found, id_width, run.tokenizer):
        done += len(chunk.texts)
        vectors += sum(len(x) if x.ndim == 2 else 1 for x in chunk.vectors)
        cut += sum(row.cut for row in chunk.rows)
        pairs = zip(chunk.texts, chunk.rows, strict=True)
        empty += [text.source for text, row in pairs if row.empty]
        bar.update(done)
    width = chunk.vectors[0].shape[-1]
    print(f"{done} texts, {vectors} vectors of {width} numbers in {output}")
    if cut:
        length = run.config.max_length
        print(f"{cut} texts have more than {length} tokens and were cut: --max-length")
    if empty:
        places = ", ".join(empty[:NOTED]) + (", …" if len(empty) > NOTED else "")
        print(f"{len(empty)} texts have no token but [CLS] and [SEP]: {places}")


if __name__ == "__main__":
    run_command(main)
