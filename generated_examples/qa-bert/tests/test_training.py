"""Training, end to end on a few lines of the sample: runs, resuming, exporting."""

import contextlib
import dataclasses
import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

import evaluate
import export
import predict
import train
from qa_bert import (
    caching,
    dataset,
    runs,
    training,
)
from qa_bert.config import TrainConfig
from qa_bert.errors import UserError

DATA = Path(train.__file__).parent / "data"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with the first lines of the sample and sizes of an encoder."""
    folder = tmp_path_factory.mktemp("training")
    for name, count in (("train", 24), ("validation", 6)):
        text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
        head = "\n".join(text.split("\n")[:count])
        (folder / f"{name}.jsonl").write_text(head, encoding="utf-8")
    sizes = {"vocab_size": 0, "hidden_size": 16, "num_hidden_layers": 1}
    sizes |= {"num_attention_heads": 2, "intermediate_size": 32}
    (folder / "sizes.json").write_text(json.dumps(sizes))
    return folder


@pytest.fixture(scope="module")
def flags(place):
    """Return flags for a run of seconds."""
    return [
        f"--train-files={place / 'train.jsonl'}",
        f"--validation-files={place / 'validation.jsonl'}",
        f"--encoder-config={place / 'sizes.json'}",
        "--batch-size=8",
        "--epochs=2",
        "--save-steps=2",
        "--gradient-accumulation=2",
    ]


@pytest.fixture(scope="module")
def trained(place, flags):
    """Return a folder with a run, runs/001, that several tests look at."""
    with contextlib.chdir(place):
        train.main(flags)
    return place


def test_no_tuner_is_waited_for(trained):
    """Batches are made without the tuner of tf.data, which sleeps up to a minute."""
    run = runs.load_run(trained / "runs/001", train.TrainConfig)
    examples = dataset.load_examples(trained / "train.jsonl")
    given = (examples, run.tokenizer, run.config)
    for batches in (dataset.make_dataset(*given, now) for now in (True, False)):
        assert batches.options().autotune.enabled is False


def weights_of(folder):
    """Return all weights of a run's last state, the optimizer's among them."""
    (state,) = training.find_states(Path(folder))
    import h5py

    arrays = {}
    with h5py.File(state / "state.weights.h5") as file:
        file.visititems(
            lambda name, node: (
                arrays.update({name: node[()]}) if hasattr(node, "dtype") else None
            )
        )
    return arrays


def test_resumed_run_ends_with_the_same_weights(trained, flags, monkeypatch):
    """A run that is stopped in the middle of an epoch and resumed loses nothing.

    It is stopped between the two batches of an update, whose sum is kept too.
    """
    original = training.RunKeeper.on_train_batch_end

    def stop_after_three(self, batch, logs=None):
        original(self, batch, logs)
        if self.step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training.RunKeeper, "on_train_batch_end", stop_after_three)
        train.main([*flags, "--output-dir", "cut"])
    train.main(["--resume", "--output-dir", "cut"])
    whole = trained / "runs/001"
    expected, found = weights_of(whole), weights_of("cut")
    assert expected.keys() == found.keys()
    assert len(expected) > 40
    for name, array in expected.items():
        np.testing.assert_array_equal(array, found[name], name)
    scores = [Path(run, "metrics.json").read_text() for run in (whole, "cut")]
    assert scores[0] == scores[1]


def test_commands(trained, flags, capsys, monkeypatch):
    """Evaluate, predict and export work on the newest run, which stays as it is."""
    monkeypatch.chdir(trained)
    folder = Path("runs/001")
    assert (folder / "model.keras").exists()
    evaluate.main(["--files", "validation.jsonl"])
    scores = json.loads((folder / "evaluation/metrics.json").read_text())
    assert scores == json.loads((folder / "metrics.json").read_text())
    assert "<html" in (folder / "evaluation/errors.html").read_text()
    predict.main(["--input", "validation.jsonl", "--output", "out.jsonl"])
    lines = Path("out.jsonl").read_text(encoding="utf-8").splitlines()
    asked = Path("validation.jsonl").read_text(encoding="utf-8").splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == [json.loads(line)["id"] for line in asked]
    capsys.readouterr()
    predict.main(["--input", "validation.jsonl", "--show"])
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) > len(asked) and not shown.startswith("{")
    export.main(["--check"])
    assert "largest difference" in capsys.readouterr().out
    assert (folder / "export/saved-model/tokenizer.json").exists()
    with pytest.raises(UserError, match="already there"):
        export.main([])
    with pytest.raises(UserError, match="not empty"):
        train.main([*flags, "--output-dir", "runs/001"])
    with pytest.raises(UserError, match="--resume together with"):
        train.main(["--resume", "--epochs", "9"])
    assert runs.next_run() == Path("runs/002")


def test_no_epochs(flags):
    """With --epochs 0 the model is kept as it is, to be scored before training."""
    train.main([*flags, "--epochs=0"])
    assert Path("runs/001/model.keras").exists()
    assert json.loads(Path("runs/001/metrics.json").read_text())["total"] == 6


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Stands for what is kept in the cache."""

    values: np.ndarray


def test_no_room_for_the_cache(tmp_path, monkeypatch):
    """A file that cannot be kept is named, and nothing of it stays."""

    def write_half(path, **arrays):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    arguments = Numbers, str(tmp_path), ["key"], lambda: Numbers(np.arange(3))
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", write_half)
        with pytest.raises(UserError, match="cannot write .*npz: No space left"):
            caching.load_or_build(*arguments)
    assert [*tmp_path.iterdir()] == []
    for _ in range(2):  # built, and then read
        assert caching.load_or_build(*arguments).values.tolist() == [0, 1, 2]
        assert len([*tmp_path.iterdir()]) == 1


def test_nothing_to_predict_with():
    """Without a run, the error says how to get one."""
    with pytest.raises(UserError, match="there is no run yet"):
        predict.main([])


def test_patience(tmp_path):
    """A run ends when its score has not improved for `patience` epochs."""
    config = TrainConfig(epochs=9, patience=2)
    keeper = training.RunKeeper(None, tmp_path, "val_x", 5, config)
    for epoch, score in enumerate([1.0, 3.0, 3.0], start=1):
        keeper.history.append({"epoch": epoch, "val_x": score})
    assert keeper.best_epoch == 2
    assert not keeper.finished
    keeper.history.append({"epoch": 4, "val_x": 2.0})
    assert keeper.finished
