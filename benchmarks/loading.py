"""Times the loading of a checkpoint of BERT-base's size, beside transformers + torch.

    pip install . tensorflow keras tokenizers safetensors torch transformers
    python benchmarks/loading.py

Use an environment with these and no more: Keras imports scikit-learn where it is
installed, which takes a second, and a generated project does not ask for it.

Random weights, 110 million, in each format that both read: a Hugging Face folder with
model.safetensors, and one with pytorch_model.bin. The generated project also loads
them from a TensorFlow checkpoint like Google's, which transformers 5 no longer reads.

Each load is a process of its own; the processes take turns. The clock starts after the
imports and one addition, which starts the libraries' threads. "Loaded" means that each
weight has been read: all of them are summed, table by table, since torch only maps a
file into memory, and reads what is used. The sums are compared. After that one batch
goes through the model, eagerly on both sides. "From the start" is the time from the
start of the process, imports included, until loaded: the wait of someone at a terminal.

Seconds are wall time; CPU seconds, of all threads, say more on a busy machine. Memory
is the largest resident set until loaded, with and without what was there when the clock
started. The table goes to benchmarks/results/loading.md.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import PACKAGE, REPOSITORY, SLUG, machine

RESULTS = REPOSITORY / "benchmarks" / "results" / "loading.md"
Runs = dict[tuple[str, str], list[dict[str, Any]]]
# What is reported of each load, and its digits.
COLUMNS = {"whole": 2, "loaded": 2, "cpu": 2, "batch": 2, "peak": 0, "beyond": 0}
CONFIG = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
}
# What each process runs: folder and project are the arguments.
START = """
import time
born = time.perf_counter()
import json, resource, sys
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def now():
    return time.perf_counter(), time.process_time(), peak()
folder, project = sys.argv[1:]
"""
END = """
batch = now()
print(json.dumps({
    "whole": loaded[0] - born,
    "loaded": loaded[0] - start[0],
    "cpu": loaded[1] - start[1],
    "batch": batch[0] - start[0],
    "peak": loaded[2],
    "beyond": loaded[2] - start[2],
    "sums": sums,
}))
"""
OURS, THEIRS = "generated project", "transformers"
CODE = {
    OURS: """
sys.path.insert(0, project)
from PACKAGE.weights import from_pretrained
import keras, numpy as np
keras.ops.ones(2) + 1
start = now()
encoder = from_pretrained(folder)
sums = [float(keras.ops.sum(weight)) for weight in encoder.weights]
loaded = now()
ones = np.ones((1, 8), "int32")
names = ("input_ids", "segment_ids", "attention_mask")
encoder({name: ones for name in names})
""".replace(
        "PACKAGE", PACKAGE
    ),
    THEIRS: """
import torch
from transformers import BertModel
torch.ones(2) + 1
start = now()
model = BertModel.from_pretrained(folder)
with torch.inference_mode():
    sums = [float(weight.sum()) for weight in model.parameters()]
    loaded = now()
    model(input_ids=torch.ones((1, 8), dtype=torch.long))
""",
}
# The folders, and who loads them.
CONTENDERS = [
    ("safetensors", OURS),
    ("safetensors", THEIRS),
    ("pytorch_model.bin", OURS),
    ("pytorch_model.bin", THEIRS),
    ("TensorFlow checkpoint", OURS),
]


def write_checkpoints(work: Path, project: Path) -> None:
    """Write the folders that are loaded, with the project's own writer and torch."""
    first = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import tensorflow as tf
from PACKAGE.checkpoint_writers import named_arrays
from PACKAGE.encoder import EncoderConfig, build_encoder
from safetensors.numpy import save_file
work = Path(sys.argv[1])
config = EncoderConfig.from_json(work / "safetensors" / "config.json")
encoder = build_encoder(config)
arrays = named_arrays(encoder, config, "torch")
save_file(arrays, work / "safetensors" / "model.safetensors", {"format": "pt"})
arrays = named_arrays(encoder, config, "google")
tf.raw_ops.SaveV2(
    prefix=str(work / "TensorFlow checkpoint" / "bert_model.ckpt"),
    tensor_names=list(arrays),
    shape_and_slices=[""] * len(arrays),
    tensors=[tf.constant(array) for array in arrays.values()],
)
""".replace("PACKAGE", PACKAGE)
    second = """
import sys
from pathlib import Path
import torch
from safetensors.torch import load_file
work = Path(sys.argv[1])
arrays = load_file(work / "safetensors" / "model.safetensors")
torch.save(arrays, work / "pytorch_model.bin" / "pytorch_model.bin")
"""
    for name in dict.fromkeys(name for name, _ in CONTENDERS):
        (work / name).mkdir()
        (work / name / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    for code in (first, second):
        command = [sys.executable, "-c", code, str(work), str(project)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def measure(name: str, folder: Path, project: Path) -> dict[str, Any]:
    """Load once in a new process; return its seconds and megabytes."""
    code = START + CODE[name] + END
    command = [sys.executable, "-c", code, str(folder), str(project)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def check_sums(runs: Runs) -> None:
    """Raise ValueError where two loads differ in what they have read."""
    sums = {key: sorted(loads[0]["sums"]) for key, loads in runs.items()}
    first = next(iter(sums.values()))
    for key, others in sums.items():
        pairs = zip(first, others, strict=True)
        if not all(math.isclose(a, b, rel_tol=1e-3, abs_tol=0.1) for a, b in pairs):
            raise ValueError(f"{key} has loaded other weights")


def report(runs: Runs) -> str:
    """Return the table as Markdown."""
    libraries = ("tensorflow", "keras", "torch", "transformers", "safetensors")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    lines = [
        "# Loading a checkpoint of BERT-base's size",
        "",
        "Made by `python benchmarks/loading.py`; the script's first lines say what is "
        "compared. Ratios above 1: the generated project is faster, or needs less.",
        "",
        f"- machine: {machine()}; {versions}; {date.today()}",
        f"- medians of {len(next(iter(runs.values())))} loads each, taking turns",
        "",
        "| file | contender | from the start, s | ratio | loaded, s | ratio | CPU s "
        "| ratio | with one batch, s | ratio | peak MB | ratio "
        "| peak MB beyond the imports | ratio |",
        "|" + "---|" * 14,
    ]
    medians = {
        key: [statistics.median(load[column] for load in loads) for column in COLUMNS]
        for key, loads in runs.items()
    }
    for (file, name), values in medians.items():
        cells = [
            f"{value:.{digits}f} | {value / own:.2f}"
            for value, own, digits in zip(
                values, medians[file, OURS], COLUMNS.values(), strict=True
            )
        ]
        lines.append(f"| {file} | {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Generate a project, write checkpoints, load them in turns, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        command = [sys.executable, "-m", "tkgen", "new", "--task", "qa"]
        command += ["--model", "bert", "--no-input", "--output-dir", str(work)]
        subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
        write_checkpoints(work, work / SLUG)
        runs: Runs = {key: [] for key in CONTENDERS}
        for number in range(options.rounds + 1):
            for file, name in CONTENDERS:
                found = measure(name, work / file, work / SLUG)
                if number:  # the first brings the file into memory
                    runs[file, name].append(found)
    check_sums(runs)
    RESULTS.write_text(report(runs), "utf-8")
    print(report(runs))


if __name__ == "__main__":
    main()
