"""The same training in skorch, Lightning and Keras, each as its own users would write it."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lm_utils.workshop.bench.plain_loop import BATCH, network, plain_datasets, splits_with

PEERS = {"skorch": "skorch", "lightning": "Lightning", "keras": "Keras on PyTorch"}  # package: title
HOW = "python -m lm_utils setup --extras=bench"


def missing() -> list[str]:
    """The peers that are not installed here."""
    return [name for name in PEERS if find_spec(name) is None]


def skorch(name: str, device: str, train_images: int | None = None) -> Callable[[int], float]:
    """skorch, ready to start: an estimator like scikit-learn's that gets arrays."""
    from skorch import NeuralNetClassifier
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    data = splits_with(name, train_images)
    train, valid, test = ((part.images.numpy(), part.digits.numpy()) for part in (data.train, data.valid, data.test))

    def run(epochs: int) -> float:
        net = NeuralNetClassifier(
            network,
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            lr=0.001,
            batch_size=BATCH,
            max_epochs=epochs,
            iterator_train__shuffle=True,
            train_split=predefined_split(Dataset(*valid)),
            device=device,
            verbose=0,
        )
        net.fit(*train)
        return net.score(*test)

    return run


def lightning(name: str, device: str, train_images: int | None = None) -> Callable[[int], float]:
    """Lightning, ready to start: a module that says what a step is, and a trainer that takes them."""
    import lightning as L

    class Digits(L.LightningModule):
        """The network with its loss and its optimiser."""

        def __init__(self) -> None:
            super().__init__()
            self.network, self.loss = network(), nn.CrossEntropyLoss()

        def training_step(self, batch: list[Tensor], _number: int) -> Tensor:
            """The loss of a batch."""
            images, digits = batch
            loss = self.loss(self.network(images), digits)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def look(self, batch: list[Tensor], part: str) -> None:
            """Note down loss and accuracy of a batch."""
            images, digits = batch
            outputs = self.network(images)
            self.log(f"{part}_loss", self.loss(outputs, digits))
            self.log(f"{part}_accuracy", (outputs.argmax(dim=1) == digits).float().mean())

        def validation_step(self, batch: list[Tensor], _number: int) -> None:
            """A batch of the valid set."""
            self.look(batch, "valid")

        def test_step(self, batch: list[Tensor], _number: int) -> None:
            """A batch of the test set."""
            self.look(batch, "test")

        def configure_optimizers(self) -> torch.optim.Optimizer:
            """The optimiser."""
            return torch.optim.AdamW(self.parameters(), lr=0.001)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    train, valid, test = plain_datasets(name, train_images)

    def run(epochs: int) -> float:
        quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
        trainer = L.Trainer(max_epochs=epochs, accelerator="gpu" if device == "cuda" else "cpu", **quiet)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice about workers for the data, which would be slower here
            model = Digits()
            trainer.fit(model, DataLoader(train, BATCH, shuffle=True), DataLoader(valid, BATCH))
            return trainer.test(model, DataLoader(test, BATCH), verbose=False)[0]["test_accuracy"]

    return run


def keras(name: str, device: str, train_images: int | None = None) -> Callable[[int], float]:
    """Keras with PyTorch below it, ready to start: layers, compile, fit on arrays."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers

    data = splits_with(name, train_images)
    train, valid, test = (
        (part.images.permute(0, 2, 3, 1).contiguous().numpy(), part.digits.numpy())
        for part in (data.train, data.valid, data.test)
    )

    def run(epochs: int) -> float:
        with keras.device("gpu" if device == "cuda" else "cpu"):
            model = keras.Sequential([
                layers.Input((28, 28, 1)),
                layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"), layers.Flatten(),
                layers.Dense(64, activation="sigmoid"), layers.Dense(10),
            ])  # fmt: skip
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.AdamW(0.001), loss, metrics=["accuracy"])
            model.fit(*train, batch_size=BATCH, epochs=epochs, validation_data=valid, verbose=0)
            return model.evaluate(*test, batch_size=BATCH, verbose=0)[1]

    return run
