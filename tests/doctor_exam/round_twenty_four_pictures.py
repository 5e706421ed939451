"""Set-ups of the twenty-fourth round (pictures), ordinary right ones, written without knowing the checks."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign, box_iou, sigmoid_focal_loss

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part

TWENTY_FOUR_PICTURES = CaseSet()
right = TWENTY_FOUR_PICTURES.right


def conv(a: int, b: int, stride: int = 1) -> nn.Sequential:
    """A convolution with batch norm."""
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))


def discs(count: int = 8, size: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures in [0, 1] with one bright disc each, its mask [N, S, S] and its box in pixels, corner to corner."""
    centre, radius = (0.35 + 0.3 * torch.rand(count, 2)) * size, (0.12 + 0.15 * torch.rand(count, 1)) * size
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    mask = (x - centre[:, :1, None]) ** 2 + (y - centre[:, 1:, None]) ** 2 < radius[..., None] ** 2
    pictures = 0.6 * torch.rand(count, 3, size, size) + 0.4 * mask[:, None]
    return pictures, mask.long(), torch.cat([centre - radius, centre + radius], 1)


def tinted(count: int, size: int, number: int = 16, channels: int = 3) -> tuple[Tensor, Tensor]:
    """Pictures in [0, 1] whose brightness tells their class, and the classes."""
    labels = torch.arange(number) % count
    return 0.7 * torch.rand(number, channels, size, size) + 0.3 * labels[:, None, None, None] / count, labels


def imagenet(x: Tensor) -> Tensor:
    """Pictures in [0, 1] normalised as ImageNet's."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


@right("food: TinyVGG", "learnpytorch.io 04 custom datasets")
def tiny_vgg():
    """Pizza, steak and sushi as tensors in [0, 1], two blocks and cross-entropy."""
    layers = []
    for a in (3, 10):
        layers += [nn.Conv2d(a, 10, 3, padding=1), nn.ReLU(), nn.Conv2d(10, 10, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2, 2)]
    x, y = tinted(3, 64)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2560, 3)), nn.CrossEntropyLoss(), x, y


@right("the Amazon from space: 17 labels", "Kaggle Planet, Starting Kit for PyTorch Deep Learning")
def amazon():
    """Sigmoids at the end of forward() and binary cross-entropy."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.drop2(self.conv2(x)), 2))
        x = F.dropout(F.relu(self.fc1(x.view(x.size(0), -1))), training=self.training)
        return torch.sigmoid(self.fc2(x))

    parts = dict(conv1=nn.Conv2d(3, 32, 3), conv2=nn.Conv2d(32, 64, 3), drop2=nn.Dropout2d())
    net = Part(forward, **parts, fc1=nn.Linear(2304, 128), fc2=nn.Linear(128, 17))
    x, place = tinted(4, 32)
    y = (torch.rand(16, 17) < 0.15).float()
    y[:, :4] = F.one_hot(place, 4).float()
    return net, F.binary_cross_entropy, x, y


@right("lungs: pneumonia or not", "github.com/MedMNIST/MedMNIST getting_started")
def pneumonia():
    """Grey pictures normalised with 0.5, two scores, targets [N, 1] squeezed in the training loop."""
    criterion = nn.CrossEntropyLoss()
    body = nn.Sequential(conv(1, 16), conv(16, 16), nn.MaxPool2d(2), conv(16, 32), nn.MaxPool2d(2), nn.Flatten())
    net = nn.Sequential(body, nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 2))
    x, y = tinted(2, 28, 16, 1)
    return net, lambda out, t: criterion(out, t.squeeze(1).long()), (x - 0.5) / 0.5, y[:, None]


@right("eyes: the grade as a number", "Kaggle APTOS 2019 regression kernels")
def retinopathy():
    """Grades 0 to 4 as one number, mean squared error with view(-1, 1)."""
    net = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 1))
    x, y = tinted(5, 64)
    return net, lambda out, t: F.mse_loss(out, t.view(-1, 1)), imagenet(x), y.float()


@right("salient things: U2-Net's side maps", "github.com/xuebinqin/U-2-Net")
def u2net():
    """Sigmoids of the fused map and of the side maps, the sum of their binary cross-entropies."""
    bce = nn.BCELoss()

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        a = self.one(x)
        b = self.two(F.max_pool2d(a, 2))
        side1, side2 = self.side1(a), F.interpolate(self.side2(b), size=x.shape[2:], mode="bilinear")
        fused = self.fuse(torch.cat([side1, side2], 1))
        return torch.sigmoid(fused), torch.sigmoid(side1), torch.sigmoid(side2)

    sides = dict(side1=nn.Conv2d(16, 1, 3, padding=1), side2=nn.Conv2d(32, 1, 3, padding=1), fuse=nn.Conv2d(2, 1, 1))
    x, mask, _ = discs()
    net = Part(forward, one=conv(3, 16), two=conv(16, 32), **sides)
    return net, lambda out, t: sum(bce(d, t) for d in out), imagenet(x), mask[:, None].float()


@right("streets: hard pixels and a second head", "github.com/CoinCheung/BiSeNet")
def bisenet():
    """Cross-entropy of the hard pixels alone, 255 left out, an auxiliary head that counts as much."""

    def ohem(logits: Tensor, labels: Tensor) -> Tensor:
        n_min = labels[labels != 255].numel() // 16
        loss = F.cross_entropy(logits, labels, ignore_index=255, reduction="none").view(-1)
        hard = loss[loss > -math.log(0.7)]
        return torch.mean(hard if hard.numel() >= n_min else loss.topk(n_min)[0])

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        a = self.stem(x)
        b, up = self.deep(a), dict(scale_factor=2, mode="bilinear", align_corners=False)
        return F.interpolate(self.head(a + b), **up), F.interpolate(self.aux(a), **up)

    x, mask, _ = discs()
    labels = mask * torch.randint(11, 19, (8, 1, 1)) + torch.where(torch.arange(64) < 30, 0, 8)[:, None] * (1 - mask)
    labels[:, -6:] = 255
    net = Part(forward, stem=conv(3, 32, 2), deep=conv(32, 32), head=nn.Conv2d(32, 19, 1), aux=nn.Conv2d(32, 19, 1))
    return net, lambda out, t: sum(ohem(o, t) for o in out), (x - 0.31) / 0.15, labels


def unet(inputs: int, end: nn.Module) -> Part:
    """A U-Net of two levels."""

    def forward(self: Part, x: Tensor) -> Tensor:
        a = self.down(x)
        b = self.up(self.middle(F.max_pool2d(a, 2)))
        return self.end(self.join(torch.cat([b, a], 1)))

    up = nn.ConvTranspose2d(32, 16, 2, 2)
    return Part(forward, down=conv(inputs, 16), middle=conv(16, 32), up=up, join=conv(32, 16), end=end)


@right("brain MRI: U-Net and dice", "github.com/mateuszbuda/brain-segmentation-pytorch")
def brain_mri():
    """Sigmoid at the end, one minus dice over the whole batch with a smoothing of 1."""

    def dice(pred: Tensor, true: Tensor) -> Tensor:
        pred, true = pred[:, 0].contiguous().view(-1), true[:, 0].contiguous().view(-1)
        return 1.0 - (2.0 * (pred * true).sum() + 1.0) / (pred.sum() + true.sum() + 1.0)

    x, mask, _ = discs()
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
    return unet(3, nn.Sequential(nn.Conv2d(16, 1, 1), nn.Sigmoid())), dice, x, mask[:, None].float()


@right("one thing: its kind and its box", "pyimagesearch.com multi-class bounding box regression PyTorch")
def localiser():
    """A box head with a sigmoid and mean squared error, a class head and cross-entropy."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.box(x), self.kind(x)

    body = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), conv(32, 32, 2), nn.Flatten())
    box = nn.Sequential(nn.Linear(2048, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4), nn.Sigmoid())
    kind = nn.Sequential(nn.Linear(2048, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 3))
    x, _, boxes = discs(16)
    labels = torch.arange(16) % 3
    x[torch.arange(16), labels] *= 0.5
    net = Part(forward, body=body, box=box, kind=kind)
    return net, lambda o, t: F.mse_loss(o[0], t[0]) + F.cross_entropy(o[1], t[1]), imagenet(x), (boxes / 64, labels)


@right("boxes: RetinaNet's focal loss", "github.com/pytorch/vision models/detection/retinanet.py")
def retinanet():
    """Anchors with class 1, none, or in between (left out); focal sum and L1 sum over the anchors with a thing."""
    grid = torch.arange(4, 64, 8).float()
    y, x = (g.flatten() for g in torch.meshgrid(grid, grid, indexing="ij"))
    anchors = torch.stack([x - 14, y - 14, x + 14, y + 14], 1)
    images, _, boxes = discs()
    iou = torch.stack([box_iou(anchors, box[None].float())[:, 0] for box in boxes])
    iou.scatter_(1, iou.argmax(1, keepdim=True), 1.0)
    found, valid = iou >= 0.5, (iou < 0.4) | (iou >= 0.5)
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    offset = (centre[:, None] - torch.stack([x, y], 1)) / 28
    deltas = torch.cat([offset, (size / 28).log()[:, None].expand_as(offset)], 2)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.kind(x).permute(0, 2, 3, 1).flatten(1, 2), self.box(x).permute(0, 2, 3, 1).flatten(1, 2)

    def loss(out: tuple, t: tuple) -> Tensor:
        hot, (fg, ok, true) = torch.zeros_like(out[0]), t
        hot[..., 1][fg] = 1.0
        total = 0
        for i in range(len(fg)):
            near = max(1, int(fg[i].sum()))
            total += sigmoid_focal_loss(out[0][i][ok[i]], hot[i][ok[i]], reduction="sum") / near
            total += F.l1_loss(out[1][i][fg[i]], true[i][fg[i]], reduction="sum") / near
        return total / len(fg)

    kind = nn.Conv2d(32, 2, 3, padding=1)
    nn.init.normal_(kind.weight, std=0.01)
    nn.init.constant_(kind.bias, -math.log((1 - 0.01) / 0.01))
    body = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), conv(32, 32, 2))
    net = Part(forward, body=body, kind=kind, box=nn.Conv2d(32, 4, 3, padding=1))
    return net, loss, imagenet(images), (found, valid, deltas)


@right("people: Mask R-CNN", "pytorch.org/tutorials torchvision_tutorial")
def mask_rcnn():
    """Lists of pictures in [0, 1] and of dictionaries; the model returns its losses, which are summed."""
    body = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), conv(32, 32, 2))
    body.out_channels = 32
    sizes = dict(min_size=64, max_size=64, box_batch_size_per_image=8, rpn_pre_nms_top_n_train=40)
    sizes |= dict(rpn_post_nms_top_n_train=20, rpn_post_nms_top_n_test=8, box_detections_per_img=4)
    pools = dict(box_roi_pool=MultiScaleRoIAlign(["0"], 7, 2), mask_roi_pool=MultiScaleRoIAlign(["0"], 14, 2))
    net = MaskRCNN(body, 2, rpn_anchor_generator=AnchorGenerator(((16, 32),), ((0.5, 1.0, 2.0),)), **sizes, **pools)
    x, masks, boxes = discs(4)
    one = torch.ones(1, dtype=torch.long)
    targets = [dict(boxes=boxes[i : i + 1], labels=one, masks=masks[i : i + 1].byte()) for i in range(4)]
    return net, lambda losses, _: sum(losses.values()), (list(x), targets), None


@right("joints: stacked hourglasses", "github.com/princeton-vl/pytorch_stacked_hourglass")
def hourglass():
    """Pictures [N, H, W, 3] in [0, 1], the heatmaps of two stacks, each compared with the true ones."""

    def forward(self: Part, imgs: Tensor) -> Tensor:
        x = self.pre(imgs.permute(0, 3, 1, 2))
        first = self.out1(a := self.one(x))
        second = self.out2(self.two(x + self.merge_features(a) + self.merge_preds(first)))
        return torch.stack([first, second], 1)

    def loss(preds: Tensor, maps: Tensor) -> Tensor:
        each = [((preds[:, i] - maps) ** 2).mean(dim=3).mean(dim=2).mean(dim=1) for i in range(2)]
        return torch.stack(each, dim=1).mean()

    x, _, boxes = discs()
    places, grid = boxes.view(8, 2, 2, 1, 1) / 4, torch.arange(16)
    maps = (-((grid[:, None] - places[:, :, 1]) ** 2 + (grid - places[:, :, 0]) ** 2) / 2).exp()
    parts = dict(out1=nn.Conv2d(32, 2, 1), out2=nn.Conv2d(32, 2, 1), merge_preds=nn.Conv2d(2, 32, 1))
    parts |= dict(pre=nn.Sequential(conv(3, 32, 2), conv(32, 32, 2)), merge_features=nn.Conv2d(32, 32, 1))
    return Part(forward, one=conv(32, 32), two=conv(32, 32), **parts), loss, x.permute(0, 2, 3, 1), maps


@right("super resolution: SRCNN", "github.com/yjn870/SRCNN-pytorch")
def srcnn():
    """The brightness in [0, 1], enlarged beforehand, mean squared error."""
    sharp = discs(16, 32)[0].mean(1, keepdim=True)
    x = F.interpolate(F.avg_pool2d(sharp, 2), scale_factor=2, mode="bicubic").clamp(0, 1)
    layers = [nn.Conv2d(1, 64, 9, padding=4), nn.ReLU(inplace=True), nn.Conv2d(64, 32, 5, padding=2)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True), nn.Conv2d(32, 1, 5, padding=2)), nn.MSELoss(), x, sharp


@right("super resolution: EDSR", "github.com/sanghyun-son/EDSR-PyTorch")
def edsr():
    """Colours from 0 to 255, the mean taken off and added again inside, L1."""
    mean = 255 * torch.tensor([0.4488, 0.4371, 0.4040])[:, None, None]
    tail = nn.Sequential(nn.Conv2d(32, 128, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(32, 3, 3, padding=1))
    body = nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(True), nn.Conv2d(32, 32, 3, padding=1))

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.head(x - mean)
        return self.tail(x + self.body(x)) + mean

    sharp = (255 * discs(8, 48)[0]).round()
    net = Part(forward, head=nn.Conv2d(3, 32, 3, padding=1), body=body, tail=tail)
    return net, nn.L1Loss(), F.avg_pool2d(sharp, 2).round(), sharp


@right("depth: the points that were measured", "github.com/fangchangma/sparse-to-dense.pytorch")
def sparse_to_dense():
    """Colours in [0, 1] and a few depths in metres as fourth channel, L1 where the true depth is known."""

    def masked_l1(pred: Tensor, target: Tensor) -> Tensor:
        valid = (target > 0).detach()
        return (target - pred)[valid].abs().mean()

    x, mask, _ = discs()
    depth = (torch.linspace(9, 2, 64)[:, None] * (1 - 0.5 * mask))[:, None]
    depth = depth * (torch.rand(8, 1, 64, 64) < 0.8)
    x = torch.cat([x, depth * (torch.rand(8, 1, 64, 64) < 0.05)], 1)
    return unet(4, nn.Conv2d(16, 1, 3, padding=1, bias=False)), masked_l1, x, depth


@right("video: CNN, then LSTM", "github.com/HHTseng/video-classification")
def cnn_lstm():
    """Each frame of [N, T, C, H, W] through a CNN, the LSTM's last output to the classes."""

    def forward(self: Part, clips: Tensor) -> Tensor:
        frames = torch.stack([self.fc(self.cnn(clips[:, t])) for t in range(clips.size(1))], dim=0).transpose(0, 1)
        x = F.relu(self.fc1(self.lstm(frames, None)[0][:, -1, :]))
        return self.fc2(F.dropout(x, p=0.3, training=self.training))

    x, y = tinted(5, 32)
    x = imagenet(0.9 * x[:, None] + 0.1 * torch.rand(16, 6, 3, 32, 32))
    cnn = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    parts = dict(lstm=nn.LSTM(64, 32, batch_first=True), fc1=nn.Linear(32, 32), fc2=nn.Linear(32, 5))
    return Part(forward, cnn=cnn, fc=nn.Linear(128, 64), **parts), F.cross_entropy, x, y
