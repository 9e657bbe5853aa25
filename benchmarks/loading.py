"""Times the loading of a checkpoint of BERT-base's size, beside transformers + torch.

    pip install torch transformers
    python benchmarks/loading.py

Both load the same Hugging Face folder with random weights, 110 million, in processes of
their own that take turns; the clock starts after the imports and stops when one batch
has gone through the model, so that a file which is only mapped into memory is read in
full. Memory is the largest resident set, with and without what the imports took. The
table goes to benchmarks/results/loading.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

from generate import PACKAGE, REPOSITORY, SLUG, machine

RESULTS = REPOSITORY / "benchmarks" / "results" / "loading.md"
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
import json, os, resource, sys, time
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
folder, project = sys.argv[1:]
"""
END = """
print(json.dumps({"seconds": time.perf_counter() - start, "imports": imports,
                  "peak": peak()}))
"""
CONTENDERS = {
    "generated project": """
sys.path.insert(0, project)
from PACKAGE.weights import from_pretrained
import numpy as np
imports, start = peak(), time.perf_counter()
encoder = from_pretrained(folder)
ones = np.ones((1, 8), "int32")
names = ("input_ids", "segment_ids", "attention_mask")
encoder({name: ones for name in names})
""".replace(
        "PACKAGE", PACKAGE
    ),
    "transformers": """
import torch
from transformers import BertModel
imports, start = peak(), time.perf_counter()
model = BertModel.from_pretrained(folder)
with torch.inference_mode():
    model(input_ids=torch.ones((1, 8), dtype=torch.long))
""",
}


def write_checkpoint(folder: Path, project: Path) -> None:
    """Write the folder that both load, with the generated project's own writer."""
    code = """
import sys, json
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from PACKAGE.checkpoint_writers import named_arrays
from PACKAGE.encoder import EncoderConfig, build_encoder
from safetensors.numpy import save_file
folder = Path(sys.argv[1])
config = EncoderConfig.from_json(folder / "config.json")
arrays = named_arrays(build_encoder(config), config, "torch")
save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})
""".replace("PACKAGE", PACKAGE)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    command = [sys.executable, "-c", code, str(folder), str(project)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def measure(name: str, folder: Path, project: Path) -> dict[str, float]:
    """Load once in a new process; return its seconds and kilobytes."""
    code = START + CONTENDERS[name] + END
    command = [sys.executable, "-c", code, str(folder), str(project)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def report(runs: dict[str, list[dict[str, float]]]) -> str:
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
        "| contender | seconds | ratio | peak MB, imports included | ratio "
        "| peak MB beyond the imports | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    columns = {}
    for name, loads in runs.items():
        columns[name] = (
            statistics.median(each["seconds"] for each in loads),
            statistics.median(each["peak"] for each in loads) / 1024,
            statistics.median(each["peak"] - each["imports"] for each in loads) / 1024,
        )
    ours = columns["generated project"]
    for name, values in columns.items():
        cells = [
            f"{value:.{2 if index == 0 else 0}f} | {value / own:.2f}"
            for index, (value, own) in enumerate(zip(values, ours, strict=True))
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Generate a project, write a checkpoint, load it in turns, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        command = [sys.executable, "-m", "tkgen", "new", "--task", "qa"]
        command += ["--model", "bert", "--no-input", "--output-dir", str(work)]
        subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
        project, folder = work / SLUG, work / "checkpoint"
        write_checkpoint(folder, project)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for number in range(options.rounds + 1):
            for name in CONTENDERS:
                found = measure(name, folder, project)
                if number:  # the first brings the file into memory
                    runs[name].append(found)
    RESULTS.write_text(report(runs), "utf-8")
    print(report(runs))


if __name__ == "__main__":
    main()
