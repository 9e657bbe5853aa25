"""Record the sentence vectors that transformers and torch make of the MiniLM weights.

    python tools/record_minilm_embeddings.py  # tests/project/minilm_embeddings.npz
    python tools/record_minilm_embeddings.py FILE.npz

Written without this project's code: transformers' tokenizer and model, each text by
itself, so that there is no padding to be handled wrongly. TensorFlow and torch do not
share a process, so tests compare with the file, or run this script.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record_minilm_outputs import find_weights

OUTPUT = Path(__file__).parents[1] / "tests/project/minilm_embeddings.npz"
TEXTS = (
    "A man is playing a guitar.",
    "The guitarist performs.",
    "Yes.",
    "Two dogs, one of them wet, run along the beach while their owner – a tall woman "
    "in a red coat – throws a stick into the waves again and again, although it is "
    "getting dark and the ferry to the mainland will leave in less than ten minutes.",
    "Prices rose by 3.7% in 2019, the Café Müller's owner said: “too much!”",
    "unaffable electroencephalographically",
    "今天天气很好。",
    "x",
)


def compute_vectors(folder: Path) -> dict[str, np.ndarray]:
    """Return unit vectors of all texts by pooling, (texts, hidden) each."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    rows: dict[str, list[torch.Tensor]] = {}
    with torch.no_grad():
        for text in TEXTS:
            inputs = tokenizer(text, return_tensors="pt")
            outputs = model(**inputs, output_hidden_states=True)
            states = [state[0] for state in outputs.hidden_states]
            first_last = torch.stack([states[1], states[-1]]).mean(dim=0)
            vectors = {
                "cls": states[-1][0],
                "pooler": outputs.pooler_output[0],
                "mean": states[-1].mean(dim=0),
                "max": states[-1].amax(dim=0),
                "first-last": first_last.mean(dim=0),
            }
            for name, vector in vectors.items():
                unit = torch.nn.functional.normalize(vector, dim=0)
                rows.setdefault(name, []).append(unit)
    arrays = {name: torch.stack(vectors).numpy() for name, vectors in rows.items()}
    return {
        **arrays,
        "texts": np.array(TEXTS),
        "torch_version": np.array(torch.__version__),
        "transformers_version": np.array(transformers.__version__),
    }


def main() -> None:
    """Write the file that is named on the command line, or the tests' own."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    arrays = compute_vectors(find_weights())
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    versions = f"torch {arrays['torch_version']}"
    versions += f", transformers {arrays['transformers_version']}"
    print(f"{path}: {path.stat().st_size:,} bytes, {versions}")


if __name__ == "__main__":
    main()
