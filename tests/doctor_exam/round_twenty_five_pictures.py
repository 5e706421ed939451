"""Set-ups of the twenty-fifth round (pictures), ordinary right ones, written without knowing the checks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import MobileNetV2
from torchvision.ops import box_iou, sigmoid_focal_loss
from torchvision.transforms import Normalize

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, Then
from doctor_exam.round_parts import Part

TWENTY_FIVE_PICTURES = CaseSet()
right = TWENTY_FIVE_PICTURES.right
imagenet = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def photos(y: Tensor, channels: int = 3, size: int = 32) -> Tensor:
    """Smooth pictures from 0 to 1 that look alike within a class."""
    looks = torch.rand(int(y.max()) + 1, channels, 4, 4)[y]
    return F.interpolate(looks + 0.1 * torch.randn_like(looks), size, mode="bilinear").clamp(0, 1)


def scene(count: int = 16, size: int = 32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pictures from 0 to 1 of one coloured object, with its corners in pixels, its class of three and its mask."""
    y, side, place = torch.arange(count) % 3, torch.randint(10, 17, (count, 2)), torch.arange(size)
    corner = (torch.rand(count, 2) * (size - side)).long()
    boxes = torch.cat([corner, corner + side], 1)
    across = (place >= boxes[:, 0:1]) & (place < boxes[:, 2:3])
    mask = ((place >= boxes[:, 1:2]) & (place < boxes[:, 3:4]))[:, :, None] & across[:, None]
    x = torch.where(mask[:, None], (0.2 + 0.6 * torch.eye(3)[y])[:, :, None, None], 0.4)
    return (x + 0.05 * torch.randn_like(x)).clamp(0, 1), boxes.float(), y, mask


def findings(count: int, kinds: int, channels: int, share: float) -> tuple[Tensor, Tensor]:
    """Standardised pictures in which several things may be seen at once, and which of them are."""
    seen = (torch.rand(count, kinds) < share).float()
    seen[:kinds] = torch.eye(kinds)
    x = F.interpolate(torch.einsum("nk,kchw->nchw", seen, torch.rand(kinds, channels, 4, 4)), 32, mode="bilinear")
    x = x + 0.1 * torch.randn_like(x)
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True), seen


def organs(dims: int, size: int) -> tuple[Tensor, Tensor]:
    """Eight standardised scans with a large and a small round organ, and the organ's number at each point."""
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, size)] * dims, indexing="ij"))
    organ = torch.zeros(8, *[size] * dims, dtype=torch.long)
    for number, radius in ((1, 0.6), (2, 0.35)):
        centre = 0.8 * torch.rand(8, dims, *[1] * dims) - 0.4
        organ[(grid - centre).norm(dim=1) < radius] = number
    scan = organ / 2 + 0.1 * torch.randn(organ.shape)
    return ((scan - scan.mean()) / scan.std())[:, None], organ


def clips() -> tuple[Tensor, Tensor]:
    """Films [N, 3, 8, 32, 32] of a light square that moves in one of four directions, and the direction."""
    y, x = torch.arange(16) % 4, torch.full((16, 3, 8, 32, 32), 0.2)
    for i, (down, across) in enumerate(torch.tensor([[0, 1], [0, -1], [1, 0], [-1, 0]])[y].tolist()):
        top, left = torch.randint(9, 17, (2,)).tolist()
        for t in range(8):
            x[i, :, t, top + t * down :, left + t * across :][:, :7, :7] = 0.8
    return (x + 0.03 * torch.randn_like(x) - 0.45) / 0.225, y


def block(a: int, b: int, stride: int = 1) -> nn.Sequential:
    """A convolution, batch normalisation and a rectifier."""
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))


def backbone() -> nn.Sequential:
    """Three blocks that make a picture four times smaller, with 32 channels."""
    return nn.Sequential(block(3, 16), block(16, 32, 2), block(32, 32, 2))


def dice(p: Tensor, hot: Tensor, axes: tuple[int, ...] = (2, 3)) -> Tensor:
    """The soft Dice loss of probabilities, the mean over what is left of the axes."""
    return 1 - ((2 * (p * hot).sum(axes) + 1) / ((p + hot).sum(axes) + 1)).mean()


def beside(*layers: nn.Module) -> Part:
    """A U-Net's skip: the inputs joined to what the layers make of them."""
    return Part(lambda self, x: torch.cat([x, self.deep(x)], 1), deep=nn.Sequential(*layers))


@right("pictures: digits with a small convolutional network", "the MNIST example of many a course")
def digits():
    """Two convolutions with pooling on normalised 28 by 28 digits."""
    y = torch.arange(30) % 10
    x = ((3 * photos(y, 1, 28) - 1.8).clamp(0, 1) - 0.1307) / 0.3081
    convs = [nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*convs, nn.Flatten(), nn.Dropout(0.25), nn.Linear(400, 10)), nn.CrossEntropyLoss(), x, y


@right("pictures: CIFAR-10 with label smoothing", "Kaggle notebooks on CIFAR-10")
def cifar():
    """Batch-normalised convolutions, global average pooling and smoothed labels."""
    y = torch.arange(30) % 10
    model = nn.Sequential(backbone(), block(32, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return model, nn.CrossEntropyLoss(label_smoothing=0.1), imagenet(photos(y)), y


@right("pictures: a residual network from scratch", "the ResNet chapter of a deep learning course")
def residual():
    """Basic blocks whose shortcut has a 1 by 1 convolution where the shape changes."""
    model, y = nn.Sequential(block(3, 16)), torch.arange(20) % 5
    for a, b in ((16, 16), (16, 32), (32, 64)):
        short = nn.Sequential(nn.Conv2d(a, b, 1, b // a, bias=False), nn.BatchNorm2d(b)) if a != b else nn.Identity()
        long = nn.Sequential(block(a, b, b // a), nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b))
        model.append(Part(lambda self, x: F.relu(self.long(x) + self.short(x)), long=long, short=short))
    model.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5)])
    return model, F.cross_entropy, imagenet(photos(y)), y


@right("pictures: a small vision transformer", "ViT from scratch, blog posts")
def transformer():
    """Patches, a class token, learned positions and a pre-norm encoder."""
    y = torch.arange(20) % 5
    start = dict(token=nn.Parameter(torch.zeros(1, 1, 48)), position=nn.Parameter(0.02 * torch.randn(1, 17, 48)))
    embed = Part(lambda self, x: torch.cat([self.token.expand(len(x), -1, -1), x.mT], 1) + self.position, **start)
    layer = nn.TransformerEncoderLayer(48, 4, 96, 0.1, "gelu", batch_first=True, norm_first=True)
    encoder = Then(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), lambda x: x[:, 0])
    model = nn.Sequential(nn.Conv2d(3, 48, 8, 8), nn.Flatten(2), embed, encoder, nn.LayerNorm(48), nn.Linear(48, 5))
    return model, nn.CrossEntropyLoss(), (photos(y) - 0.5) / 0.5, y


@right("pictures: cats and dogs with one logit", "Dogs vs. Cats tutorials")
def cats_and_dogs():
    """One logit per picture, squeezed, with binary labels as floats."""
    y = torch.arange(16) % 2
    convs = [nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*convs, nn.Flatten(), nn.Linear(1152, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 1))
    return Then(model, lambda out: out.squeeze(1)), nn.BCEWithLogitsLoss(), imagenet(photos(y)), y.float()


@right("pictures: rare skin lesions with class weights", "HAM10000 notebooks")
def lesions():
    """Cross-entropy weighted by the inverse frequency of three kinds of lesions."""
    y = torch.tensor([0] * 20 + [1] * 8 + [2] * 4)[torch.randperm(32)]
    model = nn.Sequential(backbone(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32, 3))
    return model, nn.CrossEntropyLoss(weight=len(y) / (3 * y.bincount())), imagenet(photos(y)), y


@right("pictures: mixup", "torchvision's training references, timm")
def mixup():
    """Mixed pictures with the classes' shares as targets."""
    y, other = torch.arange(24) % 4, torch.randperm(24)
    x, hot = imagenet(photos(y)), F.one_hot(y, 4).float()
    part = torch.distributions.Beta(0.4, 0.4).sample((24, 1))
    x = part[:, :, None, None] * x + (1 - part[:, :, None, None]) * x[other]
    model = nn.Sequential(backbone(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4))
    return model, nn.CrossEntropyLoss(), x, part * hot + (1 - part) * hot[other]


@right("pictures: a new head on a frozen backbone", "the transfer learning tutorial, feature extraction")
def frozen():
    """The body's weights are frozen; only the linear layer for five flowers learns."""
    y, body = torch.arange(20) % 5, backbone().requires_grad_(False)
    model = nn.Sequential(body, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 5))
    return model, nn.CrossEntropyLoss(), imagenet(photos(y)), y


@right("pictures: a whole MobileNet fine-tuned", "the transfer learning tutorial, ants and bees")
def whole():
    """The last layer is replaced by one for two classes and everything learns."""
    model = MobileNetV2(inverted_residual_setting=[[1, 16, 1, 1], [4, 24, 2, 2], [4, 32, 2, 2]])
    model.classifier[1] = nn.Linear(model.last_channel, 2)
    y = torch.arange(16) % 2
    return model, nn.CrossEntropyLoss(), imagenet(photos(y, size=64)), y


@right("pictures: objects of a scene", "Pascal VOC with several labels")
def objects():
    """Five independent labels with the multi-label soft margin loss."""
    x, seen = findings(24, 5, 3, 0.4)
    model = nn.Sequential(backbone(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 5))
    return model, nn.MultiLabelSoftMarginLoss(), x, seen


@right("pictures: chest X-rays with several findings", "ChestX-ray14, CheXNet re-implementations")
def xrays():
    """Rare findings weighted by negatives over positives."""
    x, seen = findings(32, 6, 1, 0.15)
    weight = (len(seen) - seen.sum(0)) / seen.sum(0)
    model = nn.Sequential(block(1, 16, 2), block(16, 32, 2), nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(128, 6))
    return model, nn.BCEWithLogitsLoss(pos_weight=weight), x, seen


@right("pictures: kind and colour of clothes", "multi-output classification tutorials")
def clothes():
    """A shared body with two heads and the sum of two cross-entropies."""
    kind, colour = torch.arange(24) % 4, torch.arange(24) // 4 % 3
    x = imagenet(photos(kind) * (0.4 + 0.6 * torch.eye(3))[colour][:, :, None, None])
    heads = Heads(kind=nn.Linear(128, 4), colour=nn.Linear(128, 3))
    model = nn.Sequential(backbone(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), heads)
    return model, lambda o, t: sum(F.cross_entropy(o[k], t[k]) for k in t), x, {"kind": kind, "colour": colour}


@right("pictures: ages of faces", "UTKFace notebooks")
def ages():
    """Regression of the standardised age with the smooth L1 loss."""
    age = torch.randint(18, 81, (24,)).float()
    young, old = photos(torch.arange(2))
    part = ((age - 18) / 62)[:, None, None, None]
    x = (1 - part) * young + part * old + 0.03 * torch.randn(24, 3, 32, 32)
    model = nn.Sequential(backbone(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 1), nn.Flatten(0))
    return model, nn.SmoothL1Loss(), imagenet(x.clamp(0, 1)), (age - age.mean()) / age.std()


@right("pictures: a U-Net with BCE and Dice", "Carvana, milesial's Pytorch-UNet")
def unet():
    """One logit per pixel; cross-entropy plus the Dice loss of the probabilities."""
    deep = [nn.MaxPool2d(2), block(32, 64), nn.ConvTranspose2d(64, 32, 2, 2)]
    mid = [nn.MaxPool2d(2), block(16, 32), beside(*deep), block(64, 32), nn.ConvTranspose2d(32, 16, 2, 2)]
    model = nn.Sequential(block(3, 16), beside(*mid), block(32, 16), nn.Conv2d(16, 1, 1))
    (x, _, _, mask), bce = scene(), nn.BCEWithLogitsLoss()
    return model, lambda o, t: bce(o, t) + dice(o.sigmoid(), t), imagenet(x), mask[:, None].float()


@right("pictures: streets with void pixels", "Cityscapes and VOC segmentation")
def streets():
    """An encoder and decoder; the objects' borders are void (255) and ignored."""
    x, _, y, mask = scene()
    labels, m = mask * (y + 1)[:, None, None], mask[:, None].float()
    labels[(F.max_pool2d(m, 3, 1, 1) + F.max_pool2d(1 - m, 3, 1, 1) > 1.5)[:, 0]] = 255
    up = [nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False), block(32, 16), nn.Conv2d(16, 4, 1)]
    return nn.Sequential(backbone(), *up), nn.CrossEntropyLoss(ignore_index=255), imagenet(x), labels


@right("pictures: DeepLab with an auxiliary head", "torchvision's segmentation reference")
def deeplab():
    """Dilated convolutions; the auxiliary head's loss counts half."""
    (x, _, y, mask), ce = scene(), nn.CrossEntropyLoss()
    dilated = {f"rate{d}": nn.Conv2d(32, 16, 3, padding=d, dilation=d) for d in (1, 2, 4)}
    aspp = Then(Heads(True, **dilated), lambda outs: torch.cat(outs, 1).relu())
    out = nn.Sequential(block(24, 32, 2), aspp, nn.Conv2d(48, 4, 1), nn.Upsample(scale_factor=4, mode="bilinear"))
    aux = nn.Sequential(block(24, 16), nn.Conv2d(16, 4, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
    model = nn.Sequential(block(3, 16), block(16, 24, 2), Heads(out=out, aux=aux))
    return model, lambda o, t: ce(o["out"], t) + 0.5 * ce(o["aux"], t), imagenet(x), mask * (y + 1)[:, None, None]


@right("pictures: organs of slices with the Dice loss", "medical segmentation, MONAI's DiceLoss")
def slices():
    """The mean over classes of the soft Dice loss after a softmax."""
    down, up = [block(1, 16), block(16, 32, 2), block(32, 32)], nn.ConvTranspose2d(32, 16, 2, stride=2)
    model = nn.Sequential(*down, up, nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1))
    return model, lambda o, t: dice(o.softmax(1), F.one_hot(t, 3).movedim(-1, 1)), *organs(2, 32)


@right("pictures: one object's class and box", "bounding box regression tutorials")
def localisation():
    """Class scores and corners from 0 to 1, cross-entropy plus smooth L1."""
    (x, boxes, y, _), ce, smooth = scene(), nn.CrossEntropyLoss(), nn.SmoothL1Loss()
    body = nn.Sequential(backbone(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU())
    model = nn.Sequential(body, Heads(True, label=nn.Linear(64, 3), box=nn.Sequential(nn.Linear(64, 4), nn.Sigmoid())))
    return model, lambda o, t: ce(o[0], t[0]) + 10 * smooth(o[1], t[1]), imagenet(x), (y, boxes / 32)


@right("pictures: a YOLO grid", "YOLO from scratch, blog posts")
def yolo():
    """Each of 4 by 4 cells tells whether an object's centre is there, its place, size and class."""
    x, boxes, y, _ = scene(24)
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 16, (boxes[:, 2:] - boxes[:, :2]) / 32
    cell, target = centre.long(), torch.zeros(24, 4, 4, 8)
    seen = torch.cat([torch.ones(24, 1), centre - cell, (size / 0.4).log(), F.one_hot(y, 3)], 1)
    target[torch.arange(24), cell[:, 1], cell[:, 0]] = seen

    def loss(out: Tensor, target: Tensor) -> Tensor:
        there = target[..., 0] == 1
        found = F.binary_cross_entropy_with_logits(out[..., 0], target[..., 0], reduction="none")
        out, target = out[there], target[there]
        box = F.mse_loss(out[:, 1:3].sigmoid(), target[:, 1:3]) + F.mse_loss(out[:, 3:5], target[:, 3:5])
        label = F.cross_entropy(out[:, 5:], target[:, 5:].argmax(1))
        return found[there].mean() + 0.5 * found[~there].mean() + 5 * box + label

    net = nn.Sequential(backbone(), block(32, 64, 2), block(64, 64), nn.Conv2d(64, 8, 1))
    return Then(net, lambda out: out.permute(0, 2, 3, 1)), loss, x, target


@right("pictures: anchors with the focal loss", "RetinaNet re-implementations")
def anchors():
    """Scores and box differences of 128 anchors; those in between are left out of the loss."""
    (x, boxes, y, _), place = scene(), 4.0 * torch.arange(8) + 2
    middle = torch.cartesian_prod(place, place).flip(1).repeat_interleave(2, 0)
    side = torch.tensor([11.0, 15.0]).repeat(64)[:, None].expand(-1, 2)
    overlap = box_iou(boxes, torch.cat([middle - side / 2, middle + side / 2], 1))
    label = torch.where(overlap >= 0.5, y[:, None] + 1, torch.where(overlap >= 0.4, -1, 0))
    label[torch.arange(16), overlap.argmax(1)] = y + 1
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    delta = torch.cat([((low + high) / 2 - middle) / side, ((high - low) / side).log()], -1)

    def loss(out, target):
        (score, box), (label, delta) = out, target
        used, seen, hot = label >= 0, label > 0, F.one_hot(label.clamp(min=0), 4)[..., 1:].float()
        focal = sigmoid_focal_loss(score[used], hot[used], reduction="sum")
        return (focal + F.smooth_l1_loss(box[seen], delta[seen], reduction="sum")) / seen.sum()

    score, box = (nn.Sequential(block(32, 32), nn.Conv2d(32, n, 3, padding=1)) for n in (6, 8))
    nn.init.constant_(score[1].bias, -4.6)
    net = nn.Sequential(backbone(), block(32, 32), Heads(True, score=score, box=box))
    model = Then(net, lambda outs: [o.permute(0, 2, 3, 1).reshape(len(o), 128, -1) for o in outs])
    return model, loss, imagenet(x), (label, delta)


@right("pictures: centre points", "CenterNet, Objects as Points")
def centres():
    """A heat map for each class, the size and the offset at the centre."""
    x, boxes, y, _ = scene()
    centre, size, place = (boxes[:, :2] + boxes[:, 2:]) / 8, (boxes[:, 2:] - boxes[:, :2]) / 4, torch.arange(8)
    cell, heat = centre.long(), torch.zeros(16, 3, 8, 8)
    far = (place - cell[:, 1:])[:, :, None] ** 2 + (place - cell[:, :1])[:, None] ** 2
    heat[torch.arange(16), y] = torch.exp(-far / 2)

    def loss(out, target):
        p, heat, cell = out["heat"].sigmoid().clamp(1e-4, 1 - 1e-4), target["heat"], target["cell"]
        peak = heat == 1
        hit, miss = (1 - p) ** 2 * p.log() * peak, (1 - heat) ** 4 * p**2 * (1 - p).log() * ~peak
        at = {k: out[k][torch.arange(len(cell)), :, cell[:, 1], cell[:, 0]] for k in ("size", "offset")}
        boxes = 0.1 * F.l1_loss(at["size"], target["size"]) + F.l1_loss(at["offset"], target["offset"])
        return boxes - (hit + miss).sum() / peak.sum()

    heads = {k: nn.Sequential(block(32, 32), nn.Conv2d(32, n, 1)) for k, n in (("heat", 3), ("size", 2), ("offset", 2))}
    heads["heat"][1].bias.data.fill_(-2.19)
    target = {"heat": heat, "size": size, "offset": centre - cell, "cell": cell}
    return nn.Sequential(backbone(), block(32, 32), Heads(**heads)), loss, imagenet(x), target


@right("pictures: landmarks of faces", "facial key points, Kaggle and Udacity")
def landmarks():
    """Coordinates of five points from -1 to 1 with the mean squared error."""
    x, boxes, _, _ = scene()
    parts = torch.tensor([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]])
    points = boxes[:, None, :2] + parts * (boxes[:, None, 2:] - boxes[:, None, :2])
    for picture, spots in zip(x, points.long(), strict=True):
        picture[:, spots[:, 1], spots[:, 0]] = 0.05
    ends = [nn.Flatten(), nn.Linear(2048, 64), nn.ReLU(), nn.Linear(64, 10), nn.Unflatten(1, (5, 2))]
    return nn.Sequential(backbone(), *ends), nn.MSELoss(), imagenet(x), points / 16 - 1


@right("pictures: heat maps of a pose", "SimpleBaseline and HRNet")
def pose():
    """A heat map for each of four joints; unseen joints count nothing."""
    x, boxes, _, _ = scene()
    joints, place = boxes[:, [0, 1, 2, 1, 0, 3, 2, 3]].view(16, 4, 2) / 2, torch.arange(16) + 0.5
    far = (place - joints[..., 1:])[..., :, None] ** 2 + (place - joints[..., :1])[..., None, :] ** 2
    seen = (torch.rand(16, 4, 1, 1) < 0.8).float()
    up = [nn.ConvTranspose2d(32, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 4, 1)]
    model, target = nn.Sequential(backbone(), *up), (torch.exp(-far / 4.5), seen)
    return model, lambda o, t: 0.5 * F.mse_loss(o * t[1], t[0] * t[1]), imagenet(x), target


@right("pictures: denoising", "DnCNN")
def denoising():
    """The network tells the noise, which is taken from the noisy picture."""
    clean = photos(torch.arange(16))
    net = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(), block(24, 24), nn.Conv2d(24, 3, 3, padding=1))
    return Part(lambda self, x: x - self.net(x), net=net), F.mse_loss, clean + 0.1 * torch.randn_like(clean), clean


@right("pictures: super-resolution", "ESPCN, the pytorch examples")
def super_resolution():
    """Twice the size by a pixel shuffle, with the L1 loss."""
    high = photos(torch.arange(16), size=32)
    low = F.interpolate(high, scale_factor=0.5, mode="bicubic", antialias=True).clamp(0, 1)
    layers = [nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(32, 12, 3, padding=1), nn.PixelShuffle(2)), nn.L1Loss(), low, high


@right("pictures: inpainting", "context encoders, partial convolution posts")
def inpainting():
    """The picture without a square and the square's mask; errors in the hole count six times."""
    x, hole = photos(torch.arange(16)), torch.zeros(16, 1, 32, 32)
    for i, (top, left) in enumerate(torch.randint(0, 22, (16, 2)).tolist()):
        hole[i, :, top : top + 10, left : left + 10] = 1
    up = [nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Sigmoid()]
    model, given = nn.Sequential(block(4, 32, 2), block(32, 64, 2), block(64, 64), *up), x * (1 - hole)
    return model, lambda o, t: ((o - t[0]).abs() * (1 + 5 * t[1])).mean(), torch.cat([given, hole], 1), (x, hole)


@right("pictures: segmentation of volumes", "nnU-Net, 3D U-Net")
def volumes():
    """A small 3D U-Net with instance normalisation, cross-entropy plus Dice of the organs."""
    convs = [nn.Conv3d(1, 8, 3, 1, 1), nn.Conv3d(8, 16, 3, 2, 1), nn.Conv3d(16, 8, 3, 1, 1)]
    norms = [nn.InstanceNorm3d(conv.out_channels, affine=True) for conv in convs]
    one, two, last = (nn.Sequential(*pair, nn.LeakyReLU(0.01)) for pair in zip(convs, norms, strict=True))
    model = nn.Sequential(one, beside(two, nn.ConvTranspose3d(16, 8, 2, 2)), last, nn.Conv3d(8, 3, 1))
    ce, hot, axes = nn.CrossEntropyLoss(), lambda t: F.one_hot(t, 3).movedim(-1, 1)[:, 1:], (0, 2, 3, 4)
    return model, lambda o, t: ce(o, t) + dice(o.softmax(1)[:, 1:], hot(t), axes), *organs(3, 16)


@right("pictures: nodules in volumes", "MONAI's 3D classification, LUNA16")
def nodules():
    """3D convolutions tell whether a scan has a nodule."""
    y, (_, organ) = torch.arange(8) % 2, organs(3, 16)
    x = ((organ == 2) * y[:, None, None, None] + 0.3 * torch.randn(organ.shape))[:, None]
    first = [nn.Conv3d(1, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d(2)]
    second = [nn.Conv3d(8, 16, 3, padding=1), nn.BatchNorm3d(16), nn.ReLU(), nn.AdaptiveAvgPool3d(1)]
    model = nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(16, 2))
    return model, nn.CrossEntropyLoss(), (x - x.mean()) / x.std(), y


@right("pictures: films with factorised 3D convolutions", "R(2+1)D, torchvision's video models")
def films():
    """A convolution in space and one in time, twice, averaged over the film."""
    layers = []
    for a, b in ((3, 16), (16, 32)):
        layers += [nn.Conv3d(a, b, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False), nn.BatchNorm3d(b), nn.ReLU()]
        layers += [nn.Conv3d(b, b, (3, 1, 1), padding=(1, 0, 0), bias=False), nn.BatchNorm3d(b), nn.ReLU()]
    x, y = clips()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(32, 4)), F.cross_entropy, x, y


@right("pictures: frames through an LSTM", "CNN-LSTM for UCF101, blog posts")
def frames():
    """Each frame's features go through an LSTM whose last state is classified."""
    x, y = clips()
    cnn = nn.Sequential(block(3, 8, 2), block(8, 16, 2), nn.MaxPool2d(2), nn.Flatten())
    each = Part(lambda self, film: self.cnn(film.flatten(0, 1)).unflatten(0, film.shape[:2]), cnn=cnn)
    lstm = Then(nn.LSTM(256, 32, batch_first=True), lambda out: out[1][0][-1])
    return nn.Sequential(each, lstm, nn.Linear(32, 4)), nn.CrossEntropyLoss(), x.transpose(1, 2), y
