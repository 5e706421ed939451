"""What a good PyTorch user writes on day one, to compare the course's own training with; nothing is slowed down."""

from __future__ import annotations

from dataclasses import replace

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.datasets import MNIST
from torchvision.transforms import Compose, Normalize, ToTensor

from lm_utils import mnist
from lm_utils.data import SIZES, Part, Splits, load_data, part
from lm_utils.errors import UserError

TRANSFORM = Compose([ToTensor(), Normalize((0.5,), (0.5,))])
BATCH = 32


def network() -> nn.Module:
    """The documents' network for ten digits, as one writes it down."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(1024, 64), nn.Sigmoid(), nn.Linear(64, 10),
    )  # fmt: skip


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
        self.digits = part.digits

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return TRANSFORM(Image.fromarray(self.images[index])), int(self.digits[index])


def plain_datasets(name: str, train_images: int | None = None, seed: int = 0) -> tuple[Dataset, Dataset, Dataset]:
    """The very images of `splits_with(name, train_images, seed)` as torchvision's datasets."""
    if name == "digits":
        splits = splits_with(name, train_images, seed)
        return Photographs(splits.train), Photographs(splits.valid), Photographs(splits.test)
    root = mnist.raw_folder().parents[1]
    everything = MNIST(root, train=True, transform=TRANSFORM)
    train, valid = places(train_images or SIZES[name][0], seed)
    return Subset(everything, train), Subset(everything, valid), MNIST(root, train=False, transform=TRANSFORM)


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
