"""Record the features that transformers and torch make of the MiniLM weights.

    python tools/record_minilm_features.py  # tests/project/minilm_features.npz
    python tools/record_minilm_features.py FILE.npz

Written without this project's code: transformers' tokenizer and model, each text by
itself, so that there is no padding to be handled wrongly. TensorFlow and torch do not
share a process, so tests compare with the file, or run this script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record_minilm_outputs import find_weights

OUTPUT = Path(__file__).parents[1] / "tests/project/minilm_features.npz"
LONG = "The ferry to the island was late, and nobody on the windy pier minded at all. "
# A text, or a pair.
TEXTS = (
    ("A heron stood on the bank of the river.", ""),
    ("Who was it?", "It was the ferryman, said the Café Müller's owner: “too late!”"),
    ("Yes.", ""),
    (LONG * 3 + "unaffable electroencephalographically 今天天气很好。", ""),
    ("今天天气很好。", "Prices rose by 3.7% in 2019."),
)
LAYERS = (0, 3, -2, -1)  # as transformers counts: 0 is the embeddings


def compute_features(folder: Path) -> dict[str, np.ndarray]:
    """Return vectors by pooling and layer, (texts, hidden), and those of the tokens."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    rows: dict[str, list[torch.Tensor]] = {}
    tokens: list[torch.Tensor] = []
    with torch.no_grad():
        for text, pair in TEXTS:
            inputs = tokenizer(text, pair or None, return_tensors="pt")
            outputs = model(**inputs, output_hidden_states=True)
            vectors = {"nsp": outputs.pooler_output[0]}
            for layer in LAYERS:
                state = outputs.hidden_states[layer][0]
                vectors[f"cls {layer}"] = state[0]
                vectors[f"mean {layer}"] = state.mean(dim=0)
                vectors[f"max {layer}"] = state.amax(dim=0)
            for name, vector in vectors.items():
                rows.setdefault(name, []).append(vector)
            tokens.append(outputs.hidden_states[-2][0])
    arrays = {name: torch.stack(vectors).numpy() for name, vectors in rows.items()}
    lengths = [len(each) for each in tokens]
    return {
        **arrays,
        # Not all tokens: the file shall be small.
        "tokens -2": torch.cat([each[::7] for each in tokens]).numpy(),
        "lengths": np.array(lengths),
        "texts": np.array(TEXTS),
        "torch_version": np.array(torch.__version__),
        "transformers_version": np.array(transformers.__version__),
    }


def main() -> None:
    """Write the file that is named on the command line, or the tests' own."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    arrays = compute_features(find_weights())
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    versions = f"torch {arrays['torch_version']}"
    versions += f", transformers {arrays['transformers_version']}"
    print(f"{path}: {path.stat().st_size:,} bytes, {versions}")


if __name__ == "__main__":
    main()
