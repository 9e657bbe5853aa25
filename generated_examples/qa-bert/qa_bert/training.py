"""What happens around `model.fit`: scores, the best model, states."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from . import curves, runs
from .atomic import atomically
from .errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

STATE = "state"  # begins the name of a run's folders with all that --resume needs


def prepare_backend(config: Any) -> None:
    """Set seeds and number format; make TensorFlow's operations deterministic.

    Must come before any layer is built.
    """
    keras.utils.set_random_seed(config.seed)
    try:
        keras.config.set_dtype_policy(config.dtype)
    except ValueError as error:
        raise UserError(
            f'unknown dtype "{config.dtype}"',
            str(error).splitlines()[0],
            "use float32, mixed_bfloat16 or mixed_float16",
        ) from error
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


class ValidationScore(keras.callbacks.Callback):
    """Adds the task's own scores to the logs of each epoch, as `val_…`.

    It must stand before callbacks that watch them, such as EarlyStopping.
    """

    def __init__(self, score: Callable[[], dict[str, float]]) -> None:
        super().__init__()
        self.score = score

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Score on the validation files."""
        for name, value in self.score().items():
            if logs is not None:
                logs[f"val_{name}"] = value


class RunKeeper(keras.callbacks.Callback):
    """Keeps a run's best model and its state, so that a kill loses nothing finished.

    `model.keras` is `kept` in the epoch with the highest `monitor`. A state is a folder
    `state-STEP` with the weights of what is fitted, optimizer and progress; it gets its
    name only when it is whole, and then the one before it is removed.
    """

    def __init__(
        self,
        kept: keras.Model,
        folder: Path,
        monitor: str,
        steps_per_epoch: int,
        config: Any,
    ) -> None:
        super().__init__()
        self.kept = kept
        self.folder = folder
        self.monitor = monitor
        self.steps_per_epoch = steps_per_epoch
        self.config = config
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self.losses: list[tuple[float, float]] = []  # (epochs done, loss)

    @property
    def best_epoch(self) -> int:
        """Return the epoch with the best score, counted from 1; 0 before the first."""
        scores = [(row[self.monitor], -row["epoch"]) for row in self.history]
        return -max(scores)[1] if scores else 0

    @property
    def finished(self) -> bool:
        """Return whether all epochs are done, or patience is at its end."""
        epochs, patience = len(self.history), self.config.patience
        worn_out = patience > 0 and epochs - self.best_epoch >= patience
        return epochs >= self.config.epochs or worn_out

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Count the batch, and save a state now and then."""
        self.step += 1
        within = self.step % self.steps_per_epoch
        if logs and self.step % max(1, self.steps_per_epoch // 50) == 0:
            done = self.step / self.steps_per_epoch
            self.losses.append((done, float(logs["loss"])))
        if within and within % self.config.save_steps == 0:
            self.save_state()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the scores, keep the model if it is the best, save a state."""
        scores = {name: float(value) for name, value in (logs or {}).items()}
        self.history.append({"epoch": epoch + 1, **scores})
        if self.best_epoch == epoch + 1:
            runs.save_model(self.kept, self.folder / "model.keras")
        self.save_state()
        curves.write_history(self.history, self.folder)
        curves.draw_curves(self.history, self.losses, self.folder)
        if self.finished:
            self.model.stop_training = True

    def save_state(self) -> None:
        """Write a state folder, give it its name, and remove older ones."""
        folder = self.folder / f"{STATE}-{self.step:08d}"
        progress = {
            "step": self.step,
            "history": self.history,
            "losses": self.losses,
            # Keras saves no layer's random state, and dropout would begin again.
            "seeds": [seed.numpy().tolist() for seed in random_states(self.model)],
        }
        older = find_states(self.folder)
        with atomically(folder) as state:
            state.mkdir()
            self.model.save_weights(state / "state.weights.h5")
            text = json.dumps(progress)
            (state / "progress.json").write_text(text, encoding="utf-8")
        for path in older:
            if path != folder:
                shutil.rmtree(path)

    def load_state(self, model: keras.Model) -> None:
        """Give a compiled model the weights and progress of the newest state.

        Raises UserError where the state cannot be read.
        """
        folder = find_states(self.folder)[-1]
        try:
            progress = json.loads((folder / "progress.json").read_text("utf-8"))
            model.load_weights(folder / "state.weights.h5")
            seeds = zip(random_states(model), progress["seeds"], strict=True)
            for seed, value in seeds:
                seed.assign(value)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"cannot go on from {folder}",
                str(error).splitlines()[0],
                "the state or the code has changed since: start a new run",
            ) from error
        self.step, self.history = progress["step"], progress["history"]
        self.losses = progress["losses"]


def random_states(model: keras.Model) -> list[keras.Variable]:
    """Return the random states of a model's layers, such as dropout's."""
    states = model.non_trainable_variables
    return [each for each in states if each.name == "seed_generator_state"]


def find_states(folder: Path) -> list[Path]:
    """Return the whole states of a run, oldest first."""
    return sorted(folder.glob(f"{STATE}-*"))


def fit(
    model: keras.Model,
    batches: "tf.data.Dataset",
    keeper: RunKeeper,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Run `model.fit` from where the keeper stands to the end.

    `batches` are those of all epochs. What is left of an epoch that was cut off is
    fitted by itself.
    """
    per_epoch = keeper.steps_per_epoch
    verbose = 1 if sys.stdout.isatty() else 2
    while not keeper.finished:
        epoch, done = divmod(keeper.step, per_epoch)
        last = epoch + 1 if done else keeper.config.epochs
        model.fit(
            batches.skip(keeper.step),
            initial_epoch=epoch,
            epochs=last,
            steps_per_epoch=per_epoch - done,
            callbacks=list(callbacks),
            shuffle=False,  # the batches come in the order of their plan
            verbose=verbose,
        )


def tensorboard_logs(folder: Path) -> list[keras.callbacks.Callback]:
    """Return the callback that writes TensorBoard logs, where that is installed."""
    installed = importlib.util.find_spec("tensorboard") is not None
    if keras.config.backend() != "tensorflow" or not installed:
        return []
    # Each step: Keras 3.15 writes scores of epochs only after steps that it writes.
    return [keras.callbacks.TensorBoard(folder / "logs", update_freq=1)]
