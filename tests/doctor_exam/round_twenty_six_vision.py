"""Set-ups of the twenty-sixth round (vision), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock
from torchvision.ops import box_convert, box_iou, sigmoid_focal_loss

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_SIX_VISION = CaseSet()
right = TWENTY_SIX_VISION.right


def normalise(x: Tensor) -> Tensor:
    """Colour pictures from 0 to 1, normalised with ImageNet's mean and deviation."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def smooth(n: int, channels: int = 3, size: int = 32) -> Tensor:
    """Smooth pictures from 0 to 1."""
    return F.interpolate(torch.rand(n, channels, size // 8, size // 8), size, mode="bilinear")


def sorts(labels: Tensor, channels: int = 3, size: int = 32) -> Tensor:
    """Pictures from 0 to 1 that resemble the others of their class."""
    own = smooth(int(labels.max()) + 1, channels, size)[labels]
    return 0.7 * own + 0.3 * smooth(len(labels), channels, size)


def discs(n: int = 12, size: int = 32) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures with a bright disc each, the disc's box (centre and size from 0 to 1) and its mask."""
    centre, radius = 0.25 + 0.5 * torch.rand(n, 2), 0.12 + 0.1 * torch.rand(n, 1)
    at = (torch.arange(size) + 0.5) / size
    square = (at - centre[:, :1])[:, None, :] ** 2 + (at - centre[:, 1:])[:, :, None] ** 2
    mask = (square < radius[:, :, None] ** 2).float()[:, None]
    return 0.5 * smooth(n, 3, size) + 0.45 * mask, torch.cat([centre, 2 * radius, 2 * radius], 1), mask


def spots(points: Tensor, size: int, sigma: float) -> Tensor:
    """A Gaussian spot per point (x and y in pixels), each on a map of its own [N, K, size, size]."""
    away = torch.arange(size) - points[..., None]
    return torch.exp(-(away[..., :1, :] ** 2 + away[..., 1:, :].mT ** 2) / (2 * sigma**2))


def block(i: int, o: int, stride: int = 1) -> nn.Sequential:
    """A convolution, batch normalisation and ReLU."""
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


def resnet(classes: int, channels: int = 3) -> nn.Sequential:
    """A small ResNet."""
    body, sizes = [block(channels, 16), BasicBlock(16, 16)], [(16, 32), (32, 48)]
    for i, o in sizes:
        body += [BasicBlock(i, o, 2, nn.Sequential(nn.Conv2d(i, o, 1, 2, bias=False), nn.BatchNorm2d(o)))]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, classes))


@right("vision: small ResNet of photos", "CIFAR-10 courses, kuangliu/pytorch-cifar")
def photos():
    """Ten classes of small photos."""
    labels = torch.randperm(30) % 10
    return resnet(10), nn.CrossEntropyLoss(), normalise(sorts(labels)), labels


@right("vision: new head on a frozen backbone", "transfer learning tutorial (ants and bees), with more classes")
def frozen():
    """Five kinds of flowers, frozen VGG-like features, only the head learns."""
    labels = torch.arange(20) % 5
    convs = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()]
    features = nn.Sequential(*convs, nn.AdaptiveAvgPool2d(4)).requires_grad_(False)
    head = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(1024, 5))
    return nn.Sequential(features, head), nn.CrossEntropyLoss(), normalise(sorts(labels, size=48)), labels


@right("vision: cats or dogs", "Kaggle Dogs vs. Cats, many first courses")
def cats_or_dogs():
    """One logit per picture."""
    dog = (torch.arange(16) % 2)[torch.randperm(16)]
    convs = [nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten()]
    net = nn.Sequential(*convs, nn.Linear(32 * 8 * 8, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1))
    return net, nn.BCEWithLogitsLoss(), (sorts(dog) - 0.5) / 0.5, dog.float().unsqueeze(1)


@right("vision: small ViT with label smoothing", "timm and vit-pytorch recipes")
def vit():
    """Patches, a class token and learned positions; smoothed labels of eight classes."""

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], dim=1) + self.pos
        return self.head(self.encoder(tokens)[:, 0])

    layer = nn.TransformerEncoderLayer(64, 4, 128, 0.1, "gelu", batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(64), enable_nested_tensor=False)
    model = Part(forward, patches=nn.Conv2d(3, 64, 8, stride=8), encoder=encoder, head=nn.Linear(64, 8))
    model.cls, model.pos = nn.Parameter(torch.zeros(1, 1, 64)), nn.Parameter(0.02 * torch.randn(1, 17, 64))
    y = torch.randperm(24) % 8
    return model, nn.CrossEntropyLoss(label_smoothing=0.1), normalise(sorts(y)), y


@right("vision: chest X-ray findings", "CheXNet on ChestX-ray14")
def chest():
    """Fourteen findings at once, rare ones weighted up."""
    y = (torch.rand(32, 14) < 0.2).float()
    y[:14], y[14:16] = torch.eye(14), 0
    places = F.interpolate(F.pad(y, (1, 1)).view(-1, 1, 4, 4), 48, mode="bilinear")
    xray = (0.5 * smooth(32, 1, 48) + 0.5 * places - 0.3) / 0.2
    ends = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 14)]
    net = nn.Sequential(block(1, 16, 2), block(16, 24, 2), block(24, 32), *ends)
    return net, nn.BCEWithLogitsLoss(pos_weight=(len(y) - y.sum(0)) / y.sum(0)), xray, y


@right("vision: skin lesions with class weights", "HAM10000 notebooks")
def skin():
    """Seven unequal classes, weighted by their inverse frequency."""
    counts = torch.tensor([12, 5, 4, 4, 3, 2, 2])
    y = torch.repeat_interleave(torch.arange(7), counts)[torch.randperm(32)]
    return resnet(7), nn.CrossEntropyLoss(weight=32 / (7 * counts)), normalise(sorts(y, size=40)), y


@right("vision: satellite tiles of thirteen bands", "EuroSAT land use, torchgeo")
def eurosat():
    """Ten land uses from reflectances standardised per band."""
    labels = torch.arange(30) % 10
    tiles = 300 + 3500 * sorts(labels, 13)  # ten thousand times the reflectance
    mean, std = tiles.mean((0, 2, 3), keepdim=True), tiles.std((0, 2, 3), keepdim=True)
    return resnet(10, channels=13), F.cross_entropy, (tiles - mean) / std, labels


def unet() -> Part:
    """A U-Net of three levels, one logit or value per pixel."""

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        d = self.conv2(torch.cat([self.up2(self.middle(F.max_pool2d(b, 2))), b], dim=1))
        return self.out(self.conv1(torch.cat([self.up1(d), a], dim=1)))

    ups = {"up2": nn.ConvTranspose2d(48, 32, 2, stride=2), "up1": nn.ConvTranspose2d(32, 16, 2, stride=2)}
    downs = {"down1": block(3, 16), "down2": block(16, 32), "middle": block(32, 48)}
    return Part(forward, **downs, **ups, conv2=block(64, 32), conv1=block(32, 16), out=nn.Conv2d(16, 1, 1))


@right("vision: polyps with a U-Net", "Kvasir-SEG and milesial/Pytorch-UNet")
def polyps():
    """Binary masks, cross-entropy plus Dice."""
    x, _, mask = discs(12, 48)

    def loss_fn(logits, mask):
        p = torch.sigmoid(logits)
        dice = (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
        return F.binary_cross_entropy_with_logits(logits, mask) + 1 - dice.mean()

    return unet(), loss_fn, normalise(x), mask


@right("vision: street scenes with unlabelled pixels", "fully convolutional networks on Cityscapes, courses")
def streets():
    """Five classes of pixels, unlabelled ones (255) left out."""
    labels = torch.randint(0, 5, (8, 6, 6)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    x = normalise(0.75 * torch.rand(5, 3)[labels].permute(0, 3, 1, 2) + 0.25 * smooth(8, 3, 48))
    labels[:, :2], labels[:, -4:] = 255, 255
    ends = [nn.Conv2d(32, 5, 1), nn.Upsample(scale_factor=4, mode="bilinear")]
    net = nn.Sequential(block(3, 16, 2), block(16, 32, 2), block(32, 32), *ends)
    return net, nn.CrossEntropyLoss(ignore_index=255), x, labels


@right("vision: organs in CT volumes", "MONAI's spleen tutorial, nnU-Net's loss")
def organs():
    """Three classes of voxels, cross-entropy plus Dice without the background."""
    label, axes = torch.zeros(8, 16, 16, 16).long(), 3 * [torch.arange(16.0)]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    for volume in label:
        volume[((grid - (6 + 4 * torch.rand(3, 1, 1, 1))) ** 2).sum(0) < 25] = 1
        volume[((grid - (5 + 6 * torch.rand(3, 1, 1, 1))) ** 2).sum(0) < 6] = 2
    hounsfield = torch.tensor([-80.0, 60.0, 140.0])[label] + 25 * torch.randn(label.shape)

    def dice_ce(logits, label):
        p, hot = logits.softmax(1)[:, 1:], F.one_hot(label, 3).movedim(-1, 1)[:, 1:].float()
        dice = (2 * (p * hot).sum((2, 3, 4)) + 1e-5) / (p.sum((2, 3, 4)) + hot.sum((2, 3, 4)) + 1e-5)
        return 1 - dice.mean() + F.cross_entropy(logits, label)

    convs = [[nn.Conv3d(i, o, 3, 1, 1), nn.InstanceNorm3d(o), nn.LeakyReLU()] for i, o in [(1, 12), (12, 24), (12, 12)]]
    up = nn.ConvTranspose3d(24, 12, 2, stride=2)
    net = nn.Sequential(*convs[0], nn.MaxPool3d(2), *convs[1], up, *convs[2], nn.Conv3d(12, 3, 1))
    return net, dice_ce, (hounsfield.clamp(-160, 240) + 160)[:, None] / 400, label


@right("vision: grid detector", "YOLO from scratch, many courses")
def yolo():
    """A cell's objectness and box of one class, on a grid of 6 by 6."""
    x, boxes, _ = discs(12, 48)
    target, cell = torch.zeros(12, 6, 6, 5), (boxes[:, :2] * 6).long()
    rows = torch.cat([torch.ones(12, 1), boxes[:, :2] * 6 - cell, (boxes[:, 2:] / 0.3).log()], 1)
    target[torch.arange(12), cell[:, 1], cell[:, 0]] = rows

    def loss_fn(out, target):
        out, here = out.permute(0, 2, 3, 1), target[..., 0] == 1
        objectness = F.binary_cross_entropy_with_logits(out[..., 0], target[..., 0], reduction="none")
        good, true = out[here], target[here]
        box = F.mse_loss(good[:, 1:3].sigmoid(), true[:, 1:3]) + F.mse_loss(good[:, 3:], true[:, 3:])
        return objectness[here].mean() + 0.5 * objectness[~here].mean() + 5 * box

    net = nn.Sequential(block(3, 16, 2), block(16, 32, 2), block(32, 48, 2), block(48, 48), nn.Conv2d(48, 5, 1))
    return net, loss_fn, normalise(x), target


@right("vision: anchors with focal loss", "RetinaNet, torchvision and yhenon/pytorch-retinanet")
def retina():
    """One class, an anchor per place; doubtful anchors count in neither loss."""
    x, boxes, _ = discs(12, 64)
    y0, x0 = torch.meshgrid(*2 * [(torch.arange(8) + 0.5) / 8], indexing="ij")
    anchors = torch.stack([x0, y0, 0 * x0 + 0.34, 0 * x0 + 0.34], -1).view(-1, 4)
    iou = box_iou(box_convert(boxes, "cxcywh", "xyxy"), box_convert(anchors, "cxcywh", "xyxy"))
    labels = (iou >= 0.5).float()
    labels[(iou >= 0.4) & (iou < 0.5)] = -1
    labels[torch.arange(12), iou.argmax(1)] = 1
    shift = (boxes[:, None, :2] - anchors[:, :2]) / anchors[:, 2:] / 0.1
    deltas = torch.cat([shift, (boxes[:, None, 2:] / anchors[:, 2:]).log() / 0.2], -1)

    def loss_fn(out, target):
        sure, here = target["labels"] >= 0, target["labels"] == 1
        scores, deltas = out[:, 0].flatten(1), out[:, 1:].flatten(2).transpose(1, 2)
        focal = sigmoid_focal_loss(scores[sure], target["labels"][sure], alpha=0.25, gamma=2, reduction="sum")
        return focal / here.sum() + F.smooth_l1_loss(deltas[here], target["deltas"][here], beta=1 / 9)

    head = nn.Conv2d(48, 5, 3, padding=1)
    nn.init.constant_(head.bias[:1], -4.6)
    net = nn.Sequential(block(3, 16, 2), block(16, 32, 2), block(32, 48, 2), block(48, 48), head)
    return net, loss_fn, normalise(x), {"labels": labels, "deltas": deltas}


@right("vision: heat maps of body joints", "Simple Baselines for pose, mmpose")
def pose():
    """Squared errors of Gaussian maps, hidden joints left out."""
    joints, seen = 4 + 40 * torch.rand(16, 6, 2), (torch.rand(16, 6) < 0.85).float()
    colours = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
    drawn = torch.einsum("nkhw,nk,kc->nchw", spots(joints, 48, 2), seen, colours)
    heat = spots(joints / 4, 12, 1) * seen[:, :, None, None]

    def loss_fn(maps, targets):
        return (((maps - targets[0]) ** 2).mean((2, 3)) * targets[1]).sum() / targets[1].sum()

    up = [nn.ConvTranspose2d(48, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
    net = nn.Sequential(block(3, 16, 2), block(16, 32, 2), block(32, 48, 2), *up, nn.Conv2d(32, 6, 1))
    return net, loss_fn, normalise((0.2 + 0.4 * smooth(16, 3, 48) + 0.7 * drawn).clamp(0, 1)), (heat, seen)


@right("vision: facial landmarks", "Kaggle facial keypoints, Udacity's computer vision course")
def landmarks():
    """Five points of grey faces as coordinates from -1 to 1."""
    base = torch.tensor([[16.0, 18], [32, 18], [24, 26], [18, 34], [30, 34]])
    points = base + 10 * torch.rand(16, 1, 2) - 5 + torch.randn(16, 5, 2)
    face = (0.3 + 0.6 * smooth(16, 1, 48) - 0.5 * spots(points, 48, 2).amax(1, keepdim=True)).clamp(0, 1)
    net = nn.Sequential(nn.Conv2d(1, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(2))
    net.extend([nn.Flatten(), nn.Linear(32 * 36, 64), nn.ReLU(), nn.Linear(64, 10)])
    return net, nn.SmoothL1Loss(), (face - face.mean()) / face.std(), ((points - 24) / 24).flatten(1)


@right("vision: denoising", "DnCNN, cszn's KAIR")
def denoise():
    """The network estimates the noise and takes it away."""
    clean = discs(16)[0].mean(1, keepdim=True)
    noisy = clean + 25 / 255 * torch.randn_like(clean)
    net = nn.Sequential(nn.Conv2d(1, 24, 3, 1, 1), nn.ReLU(), block(24, 24), block(24, 24), nn.Conv2d(24, 1, 3, 1, 1))
    return Part(lambda self, x: x - self.net(x), net=net), nn.MSELoss(), noisy, clean


@right("vision: super-resolution", "ESPCN in pytorch/examples, EDSR's loss")
def super_resolution():
    """Twice as large by pixel shuffle, absolute error."""
    large, _, _ = discs(12, 48)
    small = F.interpolate(large, scale_factor=0.5, mode="bicubic", antialias=True).clamp(0, 1)
    convs = [nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*convs, nn.Conv2d(32, 12, 3, padding=1), nn.PixelShuffle(2)), nn.L1Loss(), small, large


@right("vision: person re-identification", "In Defense of the Triplet Loss, TorchReID")
def persons():
    """The triplet loss of the hardest pairs, four pictures per person."""
    person = torch.arange(8).repeat_interleave(4)

    def loss_fn(features, person):
        away, same = torch.cdist(features, features), person[:, None] == person
        far, near = away.masked_fill(~same, 0).amax(1), away.masked_fill(same, float("inf")).amin(1)
        return F.softplus(far - near).mean()

    return resnet(64), loss_fn, normalise(sorts(person, size=48)[..., :24]), person


@right("vision: SimCLR", "sthalles/SimCLR, lightly")
def simclr():
    """Two views of each picture find each other among all."""
    x = 0.2 + 0.6 * smooth(16)
    x = torch.cat([x, x.flip(-1)]) * (0.8 + 0.4 * torch.rand(32, 1, 1, 1)) + 0.03 * torch.randn(32, 3, 32, 32)
    projector = nn.Sequential(nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 32))

    def nt_xent(z, partner):
        z = F.normalize(z, dim=1)
        alike = (z @ z.T / 0.5).masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), float("-inf"))
        return F.cross_entropy(alike, partner)

    return nn.Sequential(resnet(8)[:-1], projector), nt_xent, normalise(x.clamp(0, 1)), torch.arange(32).roll(16)


@right("vision: video clips", "C3D, PyTorchVideo's Kinetics tutorial")
def clips():
    """Four directions of a moving disc, convolutions over space and time."""
    frames, dx, dy = discs(16)[0], [2, -2, 0, 0] * 4, [0, 0, 2, -2] * 4
    x = [torch.stack([f.roll((t * dy[i], t * dx[i]), (1, 2)) for t in range(8)], 1) for i, f in enumerate(frames)]
    first = [nn.Conv3d(3, 16, 3, (1, 2, 2), 1, bias=False), nn.BatchNorm3d(16), nn.ReLU()]
    second = [nn.Conv3d(16, 32, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()]
    net = nn.Sequential(*first, *second, nn.Dropout(0.2), nn.Linear(32, 4))
    return net, nn.CrossEntropyLoss(), (torch.stack(x) - 0.4) / 0.22, torch.arange(16) % 4


@right("vision: depth with missing pixels", "Eigen's loss on NYU and KITTI")
def depth():
    """The logarithm of metres; pixels without a measurement are zero and left out."""
    x, _, mask = discs(12, 48)
    metres = (1.5 + 6 * x.mean(1, keepdim=True)) * (1 - 0.5 * mask) * (torch.rand_like(mask) > 0.3)

    def scale_invariant(log_depth, metres):
        d = log_depth[metres > 0] - metres[metres > 0].log()
        return (d**2).mean() - 0.5 * d.mean() ** 2

    return unet(), scale_invariant, normalise(x), metres
