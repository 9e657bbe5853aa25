"""The generated project's side of the QA benchmark; qa.py starts it.

Everything but the timing is the generated project's own code.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qa_protocol import serve, usable_cores

sys.path.insert(0, sys.argv[1])

import numpy as np
import qa_bert  # noqa: F401  before TensorFlow: it sets TensorFlow's environment
import tensorflow as tf
from qa_bert import (
    dataset,
    exporting,
    optimization,
    runs,
    serving,
    training,
)
from qa_bert.config import TrainConfig
from qa_bert.features import make_features
from qa_bert.model import build_model, compile_model
from qa_bert.tokenizer import load_tokenizer
from qa_bert.weights import from_pretrained, load_config

state: dict[str, Any] = {}  # what the calls of one worker share

Inputs = dict[str, np.ndarray]


def make_config(settings: dict[str, Any], **more: Any) -> TrainConfig:
    """Return the project's settings, and make seeds and number format take effect."""
    config = TrainConfig(**settings, **more)
    training.prepare_backend(config)
    return config


def prepare_training(
    file: str, checkpoint: str, settings: dict[str, Any], epochs: int, bf16: bool
) -> dict[str, int]:
    """Build and compile the model; return what one pass over the file consists of."""
    dtype = "mixed_bfloat16" if bf16 else "float32"
    cache = str(Path(file).parent / "cache")
    config = make_config(settings, epochs=epochs, dtype=dtype, cache_dir=cache)
    examples = dataset.load_examples(file)
    tokenizer = load_tokenizer(checkpoint)
    batches = dataset.make_dataset(examples, tokenizer, config, True)
    total_steps = int(batches.cardinality())
    steps = total_steps // epochs
    sizes = [inputs["input_ids"].shape for inputs, _ in batches.take(steps)]
    model = build_model(from_pretrained(checkpoint), config)
    compile_model(model, optimization.make_optimizer(config, total_steps), config)
    state.update(model=model, batches=batches, steps=steps, step=0)
    return {
        "windows": sum(batch for batch, _ in sizes),
        "steps": steps,
        "tokens": sum(batch * length for batch, length in sizes),
    }


def train_pass() -> dict[str, float]:
    """Run `model.fit` on the next pass over the file; return its seconds and loss."""
    steps = state["steps"]
    batches = state["batches"].skip(state["step"])
    state["step"] += steps
    start = time.perf_counter()
    history = state["model"].fit(batches.take(steps), verbose=0, shuffle=False)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "loss": float(history.history["loss"][-1])}


def make_inputs(shapes: list[list[int]], vocab_size: int) -> dict[str, Inputs]:
    """Return random inputs for each batch and length; later rows are padded more."""
    random = np.random.default_rng(0)
    inputs = {}
    for batch, length in shapes:
        lengths = np.linspace(length, length // 2, batch).astype(int)[:, None]
        mask = (np.arange(length) < lengths).astype("int32")
        ids = random.integers(0, vocab_size, (batch, length)).astype("int32")
        segments = (np.arange(length) >= length // 4).astype("int32")
        inputs[f"{batch} × {length}"] = {
            "input_ids": ids * mask,
            "segment_ids": segments * mask,
            "attention_mask": mask,
        }
    return inputs


def prepare_inference(checkpoint: str, shapes: list[list[int]], folder: str) -> None:
    """Build the runtimes; write inputs, logits and the head's weights to `folder`."""
    config = make_config({})
    model = build_model(from_pretrained(checkpoint), config)
    head = model.get_layer("qa_head")
    head.bias.assign([0.1, -0.2])  # it begins as zeros, which would hide a mistake
    run = runs.Run(Path(folder, "run"), model, load_tokenizer(checkpoint), config)
    runs.save_settings(config, run.folder)
    runs.write_text(run.folder / "tokenizer.json", run.tokenizer.to_str())
    sizes = load_config(checkpoint).to_json()
    runs.write_text(run.folder / "encoder_config.json", sizes)
    exporting.export_run(run, "saved-model", Path(folder, "exported"))
    saved_model = serving.load_saved_model(Path(folder, "exported"))
    function = tf.function(lambda inputs: model(inputs, training=False))

    def call_function(inputs: Inputs) -> Inputs:
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return {name: logits.numpy() for name, logits in function(tensors).items()}

    state["inputs"] = make_inputs(shapes, load_tokenizer(checkpoint).get_vocab_size())
    state["runtimes"] = {
        "predict_on_batch": model.predict_on_batch,
        "tf.function": call_function,
        "SavedModel": saved_model,
    }
    arrays = {"kernel": head.kernel.numpy(), "bias": head.bias.numpy()}
    for shape, inputs in state["inputs"].items():
        logits = model.predict_on_batch(inputs)
        for name, array in {**inputs, **logits}.items():
            arrays[f"{shape}/{name}"] = array
    np.savez(Path(folder, "inference.npz"), **arrays)


def time_inference(runtime: str, warm_up: int, calls: int) -> dict[str, list[float]]:
    """Return milliseconds of each call for each batch and length."""
    run = state["runtimes"][runtime]
    times = {}
    for shape, inputs in state["inputs"].items():
        for _ in range(warm_up):
            run(inputs)
        times[shape] = [seconds(lambda given=inputs: run(given)) for _ in range(calls)]
    return {name: [1e3 * each for each in found] for name, found in times.items()}


def seconds(work: Callable[[], Any]) -> float:
    """Return the seconds of a call; what it returns is freed after the clock stops."""
    start = time.perf_counter()
    result = work()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def prepare_pipeline(
    file: str, checkpoint: str, settings: dict[str, Any], recipe: dict[str, int]
) -> dict[str, int]:
    """Load the questions, fill the cache; return the counts of windows."""
    examples = dataset.load_examples(file)
    tokenizer, cutting = load_tokenizer(checkpoint), load_tokenizer(checkpoint)
    cutting.enable_truncation(
        recipe["max_length"], stride=recipe["overlap"], strategy="only_second"
    )
    pairs = [(example.question, example.context) for example in examples]
    cold = make_config(settings, cache_dir="")
    warm = make_config(settings, cache_dir=str(Path(file).parent / "cache"))
    features = make_features(examples, tokenizer, warm)
    state["pipeline"] = {
        "cold": lambda: make_features(examples, tokenizer, cold),
        "cached": lambda: make_features(examples, tokenizer, warm),
        "raw": lambda: tokenizer.encode_batch(pairs),
        "raw, cut": lambda: cutting.encode_batch(pairs),
    }
    return {"questions": len(examples), "windows": len(features.lengths)}


def time_pipeline(name: str) -> float:
    """Return the seconds of one way from texts to token ids."""
    gc.collect()
    return seconds(state["pipeline"][name])


if __name__ == "__main__":
    threads = usable_cores()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    functions = (prepare_training, train_pass, prepare_inference, time_inference)
    functions += (prepare_pipeline, time_pipeline)
    serve({function.__name__: function for function in functions})
