"""Set-ups of the twenty-third round (pictures), ordinary right ones, written without knowing the checks."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Heads, Then
from doctor_exam.round_parts import Part

TWENTY_THREE_PICTURES = CaseSet()
right = TWENTY_THREE_PICTURES.right
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def scenes(size: int = 32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pictures between 0 and 1 with one coloured disc each, its mask, its kind (of three) and its box (cx, cy, w, h)."""
    centre, radius, kind = torch.rand(N, 2) * 0.5 + 0.25, torch.rand(N) * 0.1 + 0.13, torch.randint(0, 3, (N,))
    place = (torch.arange(size) + 0.5) / size
    far = (place - centre[:, :1])[:, None] ** 2 + (place - centre[:, 1:])[:, :, None] ** 2
    mask = far < radius[:, None, None] ** 2
    ground = F.interpolate(torch.rand(N, 3, 4, 4), size=(size, size), mode="bilinear")
    disc = F.one_hot(kind, 3)[:, :, None, None] * mask[:, None]
    picture = (0.6 * ground + 0.5 * disc + 0.03 * torch.randn(N, 3, size, size)).clamp(0, 1)
    return picture, mask, kind, torch.cat([centre, 2 * radius[:, None].expand(N, 2)], 1)


def normal(picture: Tensor, mean: Tensor = MEAN, std: Tensor = STD) -> Tensor:
    """Pictures normalised channel by channel, with ImageNet's numbers unless others are given."""
    return (picture - mean[:, None, None]) / std[:, None, None]


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution, its batch normalisation and a ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def trunk(channels: int = 3) -> nn.Sequential:
    """A small convolutional network, 32 channels at a quarter of the size."""
    return nn.Sequential(conv(channels, 16, 2), conv(16, 32, 2), conv(32, 32))


def encoder(channels: int = 3) -> nn.Sequential:
    """The trunk and the mean over all places: 32 features."""
    return nn.Sequential(trunk(channels), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def unet(inputs: int, outputs: int) -> Part:
    """A U-Net of two levels."""

    def forward(self: Part, x: Tensor) -> Tensor:
        top = self.top(x)
        return self.out(self.join(torch.cat([top, self.up(self.low(self.pool(top)))], 1)))

    return Part(
        forward,
        top=conv(inputs, 8),
        pool=nn.MaxPool2d(2),
        low=conv(8, 16),
        up=nn.ConvTranspose2d(16, 8, 2, 2),
        join=conv(16, 8),
        out=nn.Conv2d(8, outputs, 1),
    )


@right("pictures: the CIFAR10 tutorial", "pytorch.org/tutorials cifar10_tutorial")
def cifar_tutorial():
    """Two convolutions and three linear layers on pictures between -1 and 1."""
    picture, _, kind, _ = scenes()
    model = nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return model, nn.CrossEntropyLoss(), picture * 2 - 1, kind * 3 + torch.randint(0, 2, (N,))


@right("pictures: the MNIST example", "github.com/pytorch/examples mnist")
def mnist_example():
    """Convolutions with dropout, log_softmax and nll_loss."""
    digit = torch.randint(0, 10, (N,))
    stroke = F.interpolate((torch.rand(10, 1, 7, 7) < 0.2).float(), size=(28, 28), mode="bilinear")[digit]
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(16 * 12 * 12, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10),
    )  # fmt: skip
    return Then(model, lambda x: F.log_softmax(x, dim=1)), F.nll_loss, (stroke - 0.1307) / 0.3081, digit


@right("pictures: ants and bees, frozen features", "pytorch.org/tutorials transfer_learning_tutorial")
def frozen_features():
    """A pretrained network kept as it is, with a new last layer."""
    picture, _, kind, _ = scenes(64)
    features = encoder()
    for weight in features.parameters():
        weight.requires_grad = False
    return nn.Sequential(features, nn.Linear(32, 2)), nn.CrossEntropyLoss(), normal(picture), (kind > 0).long()


@right("pictures: a ResNet on CIFAR", "github.com/kuangliu/pytorch-cifar")
def cifar_resnet():
    """A residual block between a stem and a linear layer."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(x)))))
        out = F.relu(out + self.shortcut(x))
        return self.linear(F.avg_pool2d(out, 4).flatten(1))

    picture, _, kind, _ = scenes()
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010])
    model = Part(
        forward,
        conv1=nn.Conv2d(3, 8, 3, 1, 1, bias=False),
        bn1=nn.BatchNorm2d(8),
        conv2=nn.Conv2d(8, 16, 3, 2, 1, bias=False),
        bn2=nn.BatchNorm2d(16),
        conv3=nn.Conv2d(16, 16, 3, 1, 1, bias=False),
        bn3=nn.BatchNorm2d(16),
        shortcut=nn.Sequential(nn.Conv2d(8, 16, 1, 2, bias=False), nn.BatchNorm2d(16)),
        linear=nn.Linear(256, 10),
    )
    return model, nn.CrossEntropyLoss(), normal(picture, mean, std), kind * 3


@right("pictures: mixup with smoothed labels", "github.com/pytorch/vision references/classification")
def mixup():
    """Mixed pictures with mixed one-hot targets, label smoothing on top."""
    picture, _, kind, _ = scenes()
    x, y, part = normal(picture), F.one_hot(kind, 10).float(), 0.7
    x, y = part * x + (1 - part) * x.roll(1, 0), part * y + (1 - part) * y.roll(1, 0)
    return nn.Sequential(encoder(), nn.Linear(32, 10)), nn.CrossEntropyLoss(label_smoothing=0.1), x, y


@right("pictures: a vision transformer", "github.com/lucidrains/vit-pytorch")
def vision_transformer():
    """Patches, a class token, learned places and two blocks."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        return self.head(self.norm(self.blocks(self.drop(x)))[:, 0])

    picture, _, kind, _ = scenes()
    block = [nn.TransformerEncoderLayer(32, 4, 64, 0.1, "gelu", batch_first=True, norm_first=True) for _ in range(2)]
    model = Part(
        forward,
        patch=nn.Conv2d(3, 32, 8, 8),
        cls=nn.Parameter(torch.randn(1, 1, 32)),
        pos=nn.Parameter(torch.randn(1, 17, 32)),
        drop=nn.Dropout(0.1),
        blocks=nn.Sequential(*block),
        norm=nn.LayerNorm(32),
        head=nn.Linear(32, 5),
    )
    return model, nn.CrossEntropyLoss(), normal(picture), kind


@right("pictures: cats and dogs, one logit", "Kaggle dogs-vs-cats notebooks")
def cats_and_dogs():
    """One logit a picture and float labels with the same axis."""
    picture, _, kind, _ = scenes(64)
    model = nn.Sequential(encoder(), nn.Linear(32, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    return model, nn.BCEWithLogitsLoss(), normal(picture), (kind > 0).float().unsqueeze(1)


@right("pictures: fourteen findings in chest X-rays", "github.com/arnoweng/CheXNet")
def chest_findings():
    """Independent findings: a sigmoid in the classifier and BCELoss."""
    picture = scenes(64)[0].mean(1, keepdim=True).expand(-1, 3, -1, -1).contiguous()
    amount = F.adaptive_avg_pool2d(picture[:, :1], (2, 7)).flatten(1)
    found = (amount > amount.quantile(0.75, 0)).float()
    return nn.Sequential(encoder(), nn.Linear(32, 14), nn.Sigmoid()), nn.BCELoss(), normal(picture), found


@right("pictures: skin lesions with class weights", "Kaggle HAM10000 notebooks")
def skin_lesions():
    """Seven unequal classes, the weights from the counts of the whole data set."""
    count = torch.tensor([327.0, 514, 1099, 115, 1113, 6705, 142])
    lesion = torch.tensor([5] * 9 + [2, 2, 4, 4, 1, 0, 6])[torch.randperm(N)]
    picture = (scenes(64)[0] + 0.3 * torch.rand(7, 3)[lesion][:, :, None, None]).clamp(0, 1)
    loss = nn.CrossEntropyLoss(weight=count.sum() / (7 * count))
    return nn.Sequential(encoder(), nn.Dropout(0.2), nn.Linear(32, 7)), loss, normal(picture), lesion


@right("pictures: age, gender and race from a face", "learnopencv / Kaggle UTKFace multi-task notebooks")
def faces():
    """One trunk with three heads: a number, a yes/no and a class."""

    def loss(out: dict, true: dict) -> Tensor:
        age = F.l1_loss(out["age"].squeeze(1), true["age"])
        gender = F.binary_cross_entropy_with_logits(out["gender"].squeeze(1), true["gender"])
        return age + gender + F.cross_entropy(out["race"], true["race"])

    picture, _, kind, box = scenes(64)
    model = nn.Sequential(encoder(), Heads(age=nn.Linear(32, 1), gender=nn.Linear(32, 1), race=nn.Linear(32, 5)))
    age = (box[:, 1] * 100).round() / 100
    return model, loss, normal(picture), {"age": age, "gender": (box[:, 0] > 0.5).float(), "race": kind}
