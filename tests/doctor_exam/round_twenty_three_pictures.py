"""Set-ups of the twenty-third round (pictures), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N, Then
from doctor_exam.round_parts import Part

TWENTY_THREE_PICTURES = CaseSet()
right = TWENTY_THREE_PICTURES.right
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def scenes(size: int = 32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pictures between 0 and 1 with a coloured disc each, its mask, its kind (of three) and its box (cx, cy, w, h)."""
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
    layer = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


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

    parts = {"top": conv(inputs, 8), "pool": nn.MaxPool2d(2), "low": conv(8, 16), "out": nn.Conv2d(8, outputs, 1)}
    return Part(forward, up=nn.ConvTranspose2d(16, 8, 2, 2), join=conv(16, 8), **parts)


@right("pictures: the CIFAR10 tutorial", "pytorch.org/tutorials cifar10_tutorial")
def cifar_tutorial():
    """Two convolutions and three linear layers on pictures between -1 and 1."""
    picture, _, kind, _ = scenes()
    low = [nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2)]
    high = [nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    return nn.Sequential(*low, *high), nn.CrossEntropyLoss(), picture * 2 - 1, kind * 3 + torch.randint(0, 2, (N,))


@right("pictures: the MNIST example", "github.com/pytorch/examples mnist")
def mnist_example():
    """Convolutions with dropout, log_softmax and nll_loss."""
    digit = torch.randint(0, 10, (N,))
    stroke = F.interpolate((torch.rand(10, 1, 7, 7) < 0.2).float(), size=(28, 28), mode="bilinear")[digit]
    low = [nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]
    model = nn.Sequential(*low, nn.Flatten(), nn.Linear(2304, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
    return Then(model, lambda x: F.log_softmax(x, dim=1)), F.nll_loss, (stroke - 0.1307) / 0.3081, digit


@right("pictures: ants and bees, frozen features", "pytorch.org/tutorials transfer_learning_tutorial")
def frozen_features():
    """A pretrained network kept as it is, with a new last layer."""
    picture, _, kind, _ = scenes(64)
    features = encoder().requires_grad_(False)
    return nn.Sequential(features, nn.Linear(32, 2)), nn.CrossEntropyLoss(), normal(picture), (kind > 0).long()


@right("pictures: a ResNet on CIFAR", "github.com/kuangliu/pytorch-cifar")
def cifar_resnet():
    """A residual block between a stem and a linear layer."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.linear(F.avg_pool2d(F.relu(self.block(x) + self.shortcut(x)), 4).flatten(1))

    picture, _, kind, _ = scenes()
    mean, std = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010])
    block = nn.Sequential(conv(8, 16, 2), nn.Conv2d(16, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16))
    shortcut = nn.Sequential(nn.Conv2d(8, 16, 1, 2, bias=False), nn.BatchNorm2d(16))
    model = Part(forward, stem=conv(3, 8), block=block, shortcut=shortcut, linear=nn.Linear(256, 10))
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
    cls, pos = nn.Parameter(torch.randn(1, 1, 32)), nn.Parameter(torch.randn(1, 17, 32))
    parts = {"patch": nn.Conv2d(3, 32, 8, 8), "drop": nn.Dropout(0.1), "blocks": nn.Sequential(*block)}
    model = Part(forward, cls=cls, pos=pos, norm=nn.LayerNorm(32), head=nn.Linear(32, 5), **parts)
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
    return model, loss, normal(picture), {"age": box[:, 1], "gender": (box[:, 0] > 0.5).float(), "race": kind}


@right("masks: a U-Net with cross-entropy and dice", "github.com/milesial/Pytorch-UNet")
def unet_dice():
    """Class numbers a pixel; the dice of the softmax against their one-hot form is added."""

    def loss(out: Tensor, mask: Tensor) -> Tensor:
        a, b = F.softmax(out, dim=1), F.one_hot(mask, 4).permute(0, 3, 1, 2).float()
        dice = (2 * (a * b).sum((2, 3)) + 1e-6) / (a.sum((2, 3)) + b.sum((2, 3)) + 1e-6)
        return F.cross_entropy(out, mask) + 1 - dice.mean()

    picture, mask, kind, _ = scenes()
    return unet(3, 4), loss, picture, mask * (kind + 1)[:, None, None]


@right("masks: cars, one logit a pixel", "github.com/aladdinpersson U-Net on Carvana")
def cars():
    """The mask gets a channel axis for BCEWithLogitsLoss."""
    picture, mask, _, _ = scenes()
    return unet(3, 1), nn.BCEWithLogitsLoss(), picture, mask.float().unsqueeze(1)


@right("masks: DeepLab with an auxiliary head", "github.com/pytorch/vision references/segmentation")
def deeplab():
    """Borders are 255 and left out; the second head counts half."""

    def forward(self: Part, x: Tensor) -> dict[str, Tensor]:
        low, high = self.low(x), self.high(self.low(x))
        heads = {"out": self.classifier(high), "aux": self.aux(low)}
        return {k: F.interpolate(v, x.shape[-2:], mode="bilinear", align_corners=False) for k, v in heads.items()}

    def loss(out: dict, mask: Tensor) -> Tensor:
        losses = {name: F.cross_entropy(x, mask, ignore_index=255) for name, x in out.items()}
        return losses["out"] + 0.5 * losses["aux"]

    picture, mask, kind, _ = scenes()
    border = (F.max_pool2d(mask[:, None].float(), 3, 1, 1)[:, 0] > 0) & ~mask
    high, heads = nn.Sequential(conv(16, 32, 2), conv(32, 32)), [nn.Conv2d(32, 21, 1), nn.Conv2d(16, 21, 1)]
    model = Part(forward, low=conv(3, 16, 2), high=high, classifier=heads[0], aux=heads[1])
    return model, loss, normal(picture), (mask * (kind * 6 + 3)[:, None, None]).masked_fill(border, 255)


@right("masks: pets with dice alone", "segmentation_models.pytorch binary example")
def pets():
    """Dice of the sigmoid over the whole batch, from logits."""

    def loss(out: Tensor, mask: Tensor) -> Tensor:
        a, b = F.logsigmoid(out).exp().view(len(out), 1, -1), mask.view(len(mask), 1, -1)
        score = 2 * (a * b).sum((0, 2)) / (a + b).sum((0, 2)).clamp_min(1e-7)
        return ((1 - score) * (b.sum((0, 2)) > 0).float()).mean()

    picture, mask, _, _ = scenes()
    return unet(3, 1), loss, normal(picture), mask.float().unsqueeze(1)


@right("masks: SegFormer fine-tuning", "huggingface.co/docs/transformers semantic segmentation")
def segformer():
    """Named inputs; the model enlarges its logits to the labels and returns the loss; 255 is left out."""

    def forward(self: Part, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.decode_head(self.encoder(pixel_values))
        large = F.interpolate(logits, size=labels.shape[-2:], mode="bilinear", align_corners=False)
        return {"loss": nn.CrossEntropyLoss(ignore_index=255)(large, labels), "logits": logits}

    picture, mask, kind, _ = scenes()
    labels = torch.where(mask, kind[:, None, None], torch.tensor(3))
    labels[:, :3] = 255
    model = Part(forward, encoder=trunk(), decode_head=nn.Conv2d(32, 150, 1))
    return model, lambda out, _: out["loss"], {"pixel_values": normal(picture), "labels": labels}, None


def volume(channels: int) -> tuple[Tensor, Tensor]:
    """Scans [8, channels, 16, 16, 16] and the squared distance of each place from the middle of a bright ball."""
    place = torch.stack(torch.meshgrid(*[torch.arange(16.0)] * 3, indexing="ij"))
    far = ((place - torch.randint(6, 10, (8, 3))[:, :, None, None, None]) ** 2).sum(1, keepdim=True)
    return 0.3 + 0.05 * torch.randn(8, channels, 16, 16, 16) + 0.5 * torch.exp(-far / 16), far


def net_3d(inputs: int, outputs: int) -> nn.Sequential:
    """A small network of 3D convolutions."""
    layers = [nn.Conv3d(inputs, 8, 3, padding=1), nn.InstanceNorm3d(8, affine=True), nn.PReLU()]
    return nn.Sequential(*layers, nn.Conv3d(8, 8, 3, padding=1), nn.PReLU(), nn.Conv3d(8, outputs, 1))


@right("scans: brain tumours, nested regions", "MONAI tutorials brats_segmentation_3d")
def brain_tumours():
    """Four sequences, three overlapping regions, dice of the sigmoid with squared predictions."""

    def loss(out: Tensor, true: Tensor) -> Tensor:
        out, axes = torch.sigmoid(out), (2, 3, 4)
        return (1 - 2 * (out * true).sum(axes) / ((out**2).sum(axes) + (true**2).sum(axes) + 1e-5)).mean()

    scan, far = volume(4)
    scan = (scan - scan.mean((2, 3, 4), keepdim=True)) / scan.std((2, 3, 4), keepdim=True)
    return net_3d(4, 3), loss, scan, torch.cat([far < 9, far < 25, far < 5], 1).float()


@right("scans: the spleen", "MONAI tutorials spleen_segmentation_3d")
def spleen():
    """Two classes, the label with a channel axis made one-hot inside the dice loss."""

    def loss(out: Tensor, true: Tensor) -> Tensor:
        out, axes = torch.softmax(out, 1), (2, 3, 4)
        hot = torch.cat([1 - true, true], 1)
        return (1 - (2 * (out * hot).sum(axes) + 1e-5) / (out.sum(axes) + hot.sum(axes) + 1e-5)).mean()

    scan, far = volume(1)
    return net_3d(1, 2), loss, scan.clamp(0, 1), (far < 20).float()


@right("boxes: SSD with hard negatives", "github.com/qfgaohao/pytorch-ssd")
def ssd():
    """Priors matched in the data set; three negatives a positive; both losses by the number of positives."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.base(x)
        return tuple(h(x).permute(0, 2, 3, 1).flatten(1, 2) for h in (self.classes, self.places))

    def loss(out: tuple, true: tuple) -> Tensor:
        (score, place), (label, box) = out, true
        with torch.no_grad():
            hard, found = -F.log_softmax(score, 2)[:, :, 0], label > 0
            hard[found] = -torch.inf
            mask = found | (hard.argsort(1, descending=True).argsort(1) < 3 * found.sum(1, keepdim=True))
        cls = F.cross_entropy(score[mask], label[mask], reduction="sum")
        return (cls + F.smooth_l1_loss(place[found], box[found], reduction="sum")) / found.sum()

    picture, _, kind, box = scenes()
    y, x = torch.meshgrid(*[(torch.arange(8) + 0.5) / 8] * 2, indexing="ij")
    offset = (box[:, None, :2] - torch.stack([x, y], -1).view(1, 64, 2)) / 0.3
    label = (kind[:, None] + 1) * (offset.abs().sum(2) < 0.5)
    goal = torch.cat([offset / 0.1, (box[:, None, 2:] / 0.3).log().expand(-1, 64, -1) / 0.2], 2)
    model = Part(forward, base=trunk(), classes=nn.Conv2d(32, 4, 3, padding=1), places=nn.Conv2d(32, 4, 3, padding=1))
    return model, loss, picture * 2 - 1, (label, goal)


@right("boxes: YOLO from scratch", "github.com/aladdinpersson YOLOv1")
def yolo():
    """A grid of classes, objectness and boxes; summed squares, roots of the sizes, empty cells at half weight."""

    def loss(out: Tensor, true: Tensor) -> Tensor:
        out, mse, exists = out.view(-1, 4, 4, 8), nn.MSELoss(reduction="sum"), true[..., 3:4]
        size = torch.sign(out[..., 6:]) * torch.sqrt(torch.abs(out[..., 6:]) + 1e-6)
        box = mse(exists * out[..., 4:6], exists * true[..., 4:6]) + mse(exists * size, exists * true[..., 6:].sqrt())
        full = mse(exists * out[..., 3:4], exists * exists)
        empty = mse((1 - exists) * out[..., 3:4], (1 - exists) * true[..., 3:4])
        return 5 * box + full + 0.5 * empty + mse(exists * out[..., :3], exists * true[..., :3])

    picture, _, kind, box = scenes()
    goal, cell = torch.zeros(N, 4, 4, 8), (box[:, :2] * 4).long()
    values = [F.one_hot(kind, 3), torch.ones(N, 1), box[:, :2] * 4 - cell, box[:, 2:] * 4]
    goal[torch.arange(N), cell[:, 1], cell[:, 0]] = torch.cat(values, 1)
    head = [nn.Flatten(), nn.Linear(2048, 64), nn.Dropout(0.0), nn.LeakyReLU(0.1), nn.Linear(64, 4 * 4 * 8)]
    return nn.Sequential(trunk(), *head), loss, picture, goal


@right("boxes: objects as points", "github.com/xingyizhou/CenterNet")
def points():
    """A heatmap a class with the focal loss of CenterNet; the size is read at the centre."""

    def loss(out: dict, true: dict) -> Tensor:
        p, heat = out["hm"].sigmoid().clamp(1e-4, 1 - 1e-4), true["hm"]
        near = torch.where(heat == 1, (1 - p) ** 2 * p.log(), (1 - heat) ** 4 * p**2 * (1 - p).log())
        size = out["wh"].flatten(2).gather(2, true["ind"][:, None, None].expand(-1, 2, 1))[:, :, 0]
        return -near.sum() / (heat == 1).sum() + 0.1 * F.l1_loss(size, true["wh"])

    picture, _, kind, box = scenes()
    place, cell = torch.arange(8), (box[:, :2] * 8).long()
    far = ((place - cell[:, :1]) ** 2)[:, None] + ((place - cell[:, 1:]) ** 2)[:, :, None]
    heat = torch.exp(-far / 2)[:, None] * F.one_hot(kind, 3)[:, :, None, None]
    model = nn.Sequential(trunk(), Heads(hm=nn.Conv2d(32, 3, 1), wh=nn.Conv2d(32, 2, 1)))
    nn.init.constant_(model[1].parts["hm"].bias, -2.19)
    return model, loss, normal(picture), {"hm": heat, "ind": cell[:, 1] * 8 + cell[:, 0], "wh": box[:, 2:] * 8}


@right("keypoints: faces", "Udacity computer vision, facial keypoints")
def facial_keypoints():
    """Grey pictures; pixel places of 68 points, centred and scaled as (k - 100) / 50."""
    picture, _, _, box = scenes(64)
    spots = 224 * (box[:, None, :2] + (torch.rand(68, 2) - 0.5) * box[:, None, 2:])
    model = nn.Sequential(trunk(1), nn.Flatten(), nn.Linear(8192, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 136))
    return model, nn.SmoothL1Loss(), picture.mean(1, keepdim=True), ((spots - 100) / 50).flatten(1)


@right("keypoints: heatmaps of joints", "github.com/microsoft/human-pose-estimation.pytorch")
def joints():
    """Half the mean squared error of Gaussian maps, joints out of sight weighted with zero."""
    picture, _, _, box = scenes()
    spot, place = box[:, None, :2] + 0.4 * (torch.rand(5, 2) - 0.5), torch.arange(16.0)
    seen = (torch.rand(N, 5, 1, 1) < 0.8).float()
    x, y = (((place - 16 * spot[..., i : i + 1].clamp(0, 1)) ** 2) for i in (0, 1))
    head = [nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 5, 1)]
    loss = lambda out, true: 0.5 * F.mse_loss(out * true[1], true[0] * true[1])  # noqa: E731
    return nn.Sequential(trunk(), *head), loss, normal(picture), (torch.exp(-(x[:, :, None] + y[..., None]) / 2), seen)


@right("super resolution: sub-pixel", "github.com/pytorch/examples super_resolution")
def sub_pixel():
    """The bright channel three times larger, PixelShuffle and MSELoss."""
    high = scenes(48)[0].mean(1, keepdim=True)
    layers = [nn.Conv2d(1, 32, 5, 1, 2), nn.ReLU(), nn.Conv2d(32, 16, 3, 1, 1), nn.ReLU(), nn.Conv2d(16, 9, 3, 1, 1)]
    return nn.Sequential(*layers, nn.PixelShuffle(3)), nn.MSELoss(), F.avg_pool2d(high, 3), high


@right("denoising: the residual of noise", "github.com/SaoYan/DnCNN-PyTorch")
def denoising():
    """The network says the noise; the summed squares by twice the number of pictures."""
    clean, noise = scenes()[0].mean(1, keepdim=True), 0.1 * torch.randn(N, 1, 32, 32)
    model = nn.Sequential(conv(1, 16), conv(16, 16), nn.Conv2d(16, 1, 3, padding=1, bias=False))
    return model, lambda out, true: F.mse_loss(out, true, reduction="sum") / (2 * N), clean + noise, noise


@right("depth: the scale-invariant logarithm", "github.com/cleinc/bts")
def depth():
    """A sigmoid times ten metres; places without a measurement are left out."""

    def loss(out: Tensor, true: Tensor) -> Tensor:
        d = torch.log(out[true > 0.1]) - torch.log(true[true > 0.1])
        return torch.sqrt((d**2).mean() - 0.85 * d.mean() ** 2) * 10

    picture = scenes()[0]
    metres = (1 + 8 * F.avg_pool2d(picture.mean(1, keepdim=True), 5, 1, 2)) * (torch.rand(N, 1, 32, 32) < 0.8)
    return Then(unet(3, 1), lambda x: 10 * torch.sigmoid(x)), loss, normal(picture), metres


def two_views() -> tuple[Tensor, Tensor]:
    """Two noisy views of the same pictures, one of them mirrored."""
    picture = scenes()[0]
    return tuple(normal((p + 0.05 * torch.randn_like(p)).clamp(0, 1)) for p in (picture, picture.flip(3)))


@right("self-supervised: SimCLR", "github.com/sthalles/SimCLR")
def simclr():
    """Two views in one batch; the other view of the same picture is the class to find."""

    def loss(out: Tensor, _: None) -> Tensor:
        out, own = F.normalize(out, dim=1), torch.eye(len(out), dtype=torch.bool)
        return F.cross_entropy((out @ out.T / 0.07).masked_fill(own, -torch.inf), torch.arange(2 * N).roll(N))

    model = nn.Sequential(encoder(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16))
    return model, loss, torch.cat(two_views()), None


@right("self-supervised: SimSiam", "github.com/facebookresearch/simsiam")
def simsiam():
    """Each view's prediction against the other's detached projection, by the negative cosine."""

    def forward(self: Part, x1: Tensor, x2: Tensor) -> tuple[Tensor, ...]:
        z1, z2 = self.encoder(x1), self.encoder(x2)
        return self.predictor(z1), self.predictor(z2), z1.detach(), z2.detach()

    def loss(out: tuple, _: None) -> Tensor:
        return -(F.cosine_similarity(out[0], out[3]).mean() + F.cosine_similarity(out[1], out[2]).mean()) * 0.5

    head = nn.Sequential(nn.Linear(32, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Linear(8, 32))
    end = [nn.Linear(32, 32, bias=False), nn.BatchNorm1d(32, affine=False)]
    return Part(forward, encoder=nn.Sequential(encoder(), *end), predictor=head), loss, two_views(), None


@right("self-supervised: a masked autoencoder", "github.com/facebookresearch/mae")
def masked_autoencoder():
    """A quarter of the patches is seen; the squared error of the hidden ones."""

    def forward(self: Part, x: Tensor) -> dict[str, Tensor]:
        goal = F.unfold(x, 4, stride=4).transpose(1, 2)
        order = torch.rand(goal.shape[:2]).argsort(1)[:, :, None]
        seen = (self.embed(goal) + self.pos).gather(1, order[:, :16].expand(-1, -1, 32))
        full = self.mask.expand(*goal.shape[:2], -1).scatter(1, order[:, :16].expand(-1, -1, 32), self.encoder(seen))
        out, hidden = self.head(self.decoder(full + self.pos2)), order[:, 16:].expand(-1, -1, 48)
        return {"loss": F.mse_loss(out.gather(1, hidden), goal.gather(1, hidden)), "pred": out}

    layer = [nn.TransformerEncoderLayer(32, 4, 64, 0.0, "gelu", batch_first=True, norm_first=True) for _ in range(2)]
    pos, pos2, mask = (nn.Parameter(0.02 * torch.randn(1, n, 32)) for n in (64, 64, 1))
    parts = {"embed": nn.Linear(48, 32), "encoder": layer[0], "decoder": layer[1], "head": nn.Linear(32, 48)}
    return Part(forward, pos=pos, pos2=pos2, mask=mask, **parts), lambda out, _: out["loss"], normal(scenes()[0]), None


@right("self-supervised: which way up", "RotNet, github.com/gidariss/FeatureLearningRotNet")
def rotation():
    """Every picture turned four ways; the turn is the class."""
    sky = scenes()[0] * torch.linspace(1, 0.4, 32)[:, None]
    x, turn = torch.cat([sky.rot90(k, (2, 3)) for k in range(4)]), torch.arange(4).repeat_interleave(N)
    return nn.Sequential(trunk(), nn.Flatten(), nn.Linear(2048, 4)), nn.CrossEntropyLoss(), normal(x), turn
