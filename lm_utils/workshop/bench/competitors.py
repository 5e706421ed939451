"""What the course's training is compared with: the plain loop, skorch, Lightning and Keras, on the same images.

The plain loop is what a good PyTorch user writes on day one; each of the others is written as its own users would write
it. Nothing is slowed down.
"""

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from lm_utils import mnist
from lm_utils.data import SIZES, Part, Splits, load_data, part
from lm_utils.errors import UserError

BATCH = 32
PEERS = {"skorch": "skorch", "lightning": "Lightning", "keras": "Keras on PyTorch"}  # package: title
HOW = "python -m lm_utils setup --extras=bench"


def network() -> nn.Module:
    """The documents' network for ten digits, as one writes it down."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(1024, 64), nn.Sigmoid(), nn.Linear(64, 10),
    )  # fmt: skip


@cache
def transform() -> Callable[[Image.Image], Tensor]:
    """What the documents do to an image; torchvision takes seconds to import."""
    from torchvision.transforms import Compose, Normalize, ToTensor

    return Compose([ToTensor(), Normalize((0.5,), (0.5,))])


def plain_loop(train: Dataset, valid: Dataset, test: Dataset, epochs: int, device: str = "cpu") -> float:
    """Train the documents' network on ten digits, look at the valid set after every epoch, test at the end."""
    model = network().to(device)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)

    @torch.no_grad()
    def evaluate(dataset: Dataset) -> tuple[float, float]:
        model.eval()
        loss, correct = 0.0, 0
        for images, digits in DataLoader(dataset, batch_size=BATCH):
            images, digits = images.to(device), digits.to(device)
            outputs = model(images)
            loss += loss_function(outputs, digits).item() * len(digits)
            correct += (outputs.argmax(dim=1) == digits).sum().item()
        return loss / len(dataset), correct / len(dataset)

    for _ in range(epochs):
        model.train()
        train_loss = 0.0
        for images, digits in DataLoader(train, batch_size=BATCH, shuffle=True):
            images, digits = images.to(device), digits.to(device)
            optimizer.zero_grad()
            loss = loss_function(model(images), digits)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(digits)
        evaluate(valid)
    return evaluate(test)[1]


class Photographs(Dataset):
    """What torchvision's MNIST is, for the embedded digits: PIL images that are transformed one by one."""

    def __init__(self, part: Part) -> None:
        self.images = part.images.squeeze(1).add(1).mul(127.5).round().to(torch.uint8).numpy()
        self.digits, self.transform = part.digits, transform()

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), int(self.digits[index])


def plain_datasets(name: str, train_images: int | None = None, seed: int = 0) -> tuple[Dataset, Dataset, Dataset]:
    """The very images of `splits_with(name, train_images, seed)` as torchvision's datasets."""
    if name == "digits":
        splits = splits_with(name, train_images, seed)
        return Photographs(splits.train), Photographs(splits.valid), Photographs(splits.test)
    from torchvision.datasets import MNIST

    root = mnist.raw_folder().parents[1]
    everything = MNIST(root, train=True, transform=transform())
    train, valid = places(train_images or SIZES[name][0], seed)
    return Subset(everything, train), Subset(everything, valid), MNIST(root, train=False, transform=transform())


def splits_with(name: str, train_images: int | None = None, seed: int = 0) -> Splits:
    """The splits of a seed with another number of training images; what the course leaves out of MNIST adds to them."""
    splits = load_data(name, seed)
    if train_images in (None, len(splits.train)):
        return splits
    if train_images < len(splits.train):
        train = Part(splits.train.images[:train_images], splits.train.digits[:train_images])
    elif name == "digits":
        raise UserError(f"The embedded digits have {len(splits.train)} training images, not {train_images}; use MNIST.")
    else:
        images, digits, *_ = mnist.load()
        train = part(images, digits, torch.tensor(places(train_images, seed)[0]))
    return replace(splits, train=train)


def places(train_images: int, seed: int) -> tuple[list[int], list[int]]:
    """Which of MNIST's training images are trained on and which are the valid set, the same whatever the size."""
    usual, valid, _ = SIZES["mnist"]
    order = torch.randperm(mnist.FILES["train-labels-idx1-ubyte"][1][0], generator=torch.Generator().manual_seed(seed))
    train = torch.cat([order[:usual], order[usual + valid :]])[:train_images]
    return train.tolist(), order[usual : usual + valid].tolist()


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

        def validation_step(self, batch: list[Tensor], _number: int) -> None:
            """Note down loss and accuracy of a batch."""
            images, digits = batch
            outputs = self.network(images)
            self.log("loss", self.loss(outputs, digits))
            self.log("accuracy", (outputs.argmax(dim=1) == digits).float().mean())

        test_step = validation_step

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
            return trainer.test(model, DataLoader(test, BATCH), verbose=False)[0]["accuracy"]

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
