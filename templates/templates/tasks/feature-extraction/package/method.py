"""Where scripts look up the settings: nothing is trained here, so none are added."""

from .config import TrainConfig as TrainConfig
