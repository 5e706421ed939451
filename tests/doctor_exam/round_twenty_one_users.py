"""Set-ups of the twenty-first round (users of libraries), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: pytorch lightning loss stuck at
0.693 binary classification; fastai custom loss function not learning accuracy constant; timm mixup cutmix bce loss
target not learning; segmentation_models_pytorch dice loss stuck at constant value; monai dice loss not decreasing
background include_background sigmoid softmax; huggingface trainer multi label classification predicts all zeros;
pos_weight BCEWithLogitsLoss model predicts all ones; class weights cross entropy lightning predicts only one class;
keras to pytorch same model much worse loss softmax; should i put softmax before CrossEntropyLoss loss stuck at 2.3;
regression predicts the mean for everything output shape (N,1) target (N,); pytorch forecasting loss negative normal
distribution output wrong; token classification ignore_index padding label 0 predicts only O; gpt2 fine tuning labels
shift loss padding eos wrong; torchvision deeplabv3 aux loss weights segmentation predicts only background; multi task
learning two heads one head does not learn; kl_div loss negative values reduction batchmean log_softmax; t5 decoder
input ids labels loss doubt generates repeated token; lstm time series batch_first output last timestep flat line
prediction; vae loss kl reduction mean sum images blurry all the same; focal loss implementation wrong loss does not
decrease; autoencoder relu sigmoid last layer normalized input output grey; ordinal or siamese contrastive loss label
0 1 reversed embedding collapse; yolo or keypoint rcnn torchvision labels background class 0 wrong nothing detected.

Further searches, committed before they were made: sigmoid applied twice model sigmoid and BCEWithLogitsLoss; multi
label classification softmax with BCELoss; target broadcast mse loss shape (batch,) (batch,1) model predicts average;
pos_weight computed wrong way round positive over negative; class weights wrong order inverse frequency loss; multi
task loss wrong target for second head; label smoothing loss implementation wrong value; nll_loss without log_softmax
negative loss; regression output relu sigmoid last layer predicts zero lightning.

Sixty look-ups (33 searches, some in two collections, and code behind the threads). Most fitting hits were on the list
of earlier sources, among them nearly all of softmax, sigmoid, broadcasts, label smoothing and last ReLUs. Left out:
threads of evaluation, learning rates and features; a forecast without negative values (the cause is not in the text
that was seen); a missing start token (not visible in a batch); softmax with binary losses on one-hot labels (trains
well). Fifteen wrong ones were left.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, inputs, mlp, padded_tokens
from doctor_exam.round_parts import Part

TWENTY_ONE_USERS = CaseSet()
right, wrong = TWENTY_ONE_USERS.right, TWENTY_ONE_USERS.wrong


def scans() -> tuple[Tensor, Tensor]:
    """Noisy pictures with a bright rectangle, and its mask [N, 1, 16, 16]."""
    mask = torch.zeros(N, 1, 16, 16)
    for one, (row, column) in zip(mask, torch.randint(0, 9, (N, 2)).tolist(), strict=True):
        one[:, row : row + 6, column : column + 5] = 1
    return mask + 0.3 * torch.randn_like(mask), mask


def unet(classes: int, *ends: nn.Module) -> nn.Sequential:
    """A small network from a picture to a map per class."""
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, classes, 3, padding=1), *ends)


def skeleton(image: Tensor, steps: int = 3) -> Tensor:
    """The soft skeleton of a map, by soft erosion and dilation."""

    def erode(x: Tensor) -> Tensor:
        return torch.min(-F.max_pool2d(-x, (3, 1), 1, (1, 0)), -F.max_pool2d(-x, (1, 3), 1, (0, 1)))

    def rest(x: Tensor) -> Tensor:
        return F.relu(x - F.max_pool2d(erode(x), 3, 1, 1))

    skel = rest(image)
    for _ in range(steps):
        image = erode(image)
        delta = rest(image)
        skel = skel + F.relu(delta - skel * delta)
    return skel


def soft_dice_cldice(pred: Tensor, true: Tensor) -> Tensor:
    """Dice and centre-line dice of all channels but the first."""
    skel_pred, skel_true = skeleton(pred), skeleton(true)
    precision = (torch.sum((skel_pred * true)[:, 1:]) + 1) / (torch.sum(skel_pred[:, 1:]) + 1)
    recall = (torch.sum((skel_true * pred)[:, 1:]) + 1) / (torch.sum(skel_true[:, 1:]) + 1)
    dice = (2 * torch.sum((true * pred)[:, 1:]) + 1) / (torch.sum(true[:, 1:]) + torch.sum(pred[:, 1:]) + 1)
    return 0.5 * (1 - dice) + 0.5 * (1 - 2 * precision * recall / (precision + recall))


def airways(one_channel: bool):
    """A library's centre-line dice, which leaves out the first channel, on one channel or on two."""
    x, mask = scans()
    if one_channel:
        return unet(1, nn.Sigmoid()), soft_dice_cldice, x, mask
    return unet(2, nn.Softmax(1)), soft_dice_cldice, x, torch.cat([1 - mask, mask], 1)


wrong(
    "airways: a dice that drops the first channel on a one-channel mask",
    "loss_is_constant|zero_gradient|wrong_formula",
    "Project-MONAI/MONAI#8239",
)(lambda: airways(True))
right("airways: two channels, background first", "Project-MONAI/MONAI#8239")(lambda: airways(False))


def dice_focal(late: bool):
    """Dice and focal loss of two classes without the background; the softmax comes after the cut, or before it."""
    x, mask = scans()

    def loss(out: Tensor, one_hot: Tensor) -> Tensor:
        shares = out if late else out.softmax(1)
        score, share, true = out[:, 1:], shares[:, 1:], one_hot[:, 1:]
        if share.shape[1] > 1:  # a softmax of a single channel is left out
            share = share.softmax(1)
        overlap, area = (share * true).sum((2, 3)), share.sum((2, 3)) + true.sum((2, 3))
        dice = (1 - (2 * overlap + 1e-5) / (area + 1e-5)).mean()
        entropy = F.binary_cross_entropy_with_logits(score, true, reduction="none")
        return dice + ((1 - torch.exp(-entropy)) ** 2 * entropy).mean()

    return unet(2), loss, x, torch.cat([1 - mask, mask], 1)


wrong(
    "lesions: dice focal, the softmax skipped after the cut",
    "overlap_on_logits",
    "Project-MONAI/MONAI#5413",
)(lambda: dice_focal(True))


def rare_positives(shares: bool):
    """A sixth of the labels is positive; two scores, their difference, and a weight per class."""
    x = torch.randn(32, 8)
    weight = torch.tensor([0.84, 0.16] if shares else [0.16, 0.84])

    def loss(out: Tensor, label: Tensor) -> Tensor:
        score = out[:, 1] - out[:, 0]
        entropy = nn.BCEWithLogitsLoss(reduction="none")(score.sigmoid() if shares else score, label)
        return (entropy * weight[label.long()]).mean()

    return mlp(2), loss, x, (x[:, 0] > x[:, 0].sort().values[-6]).float()


source = "discuss.pytorch.org/t/predictions-stuck-at-zero-when-positive-label-1-is-only-16-of-data/145203"
wrong(
    "rare positives: a sigmoid too many and the classes' own shares as weights",
    "activation_twice|sigmoid_before_bce_logits|class_weight_reversed",
    source,
)(lambda: rare_positives(True))
right("rare positives: raw score, rare class weighs more", source)(lambda: rare_positives(False))


def codes(batch_first: bool):
    """Sequences [N, 48] of symbols to sixteen bits, as ported from Keras."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.fc(self.dropout(self.lstm(self.embed(x))[0][:, -1, :]))
        return hard_sigmoid(x)

    def hard_sigmoid(x: Tensor) -> Tensor:
        x = F.threshold(-(0.2 * x + 0.5), -1, -1)
        return F.threshold(-x, 0, 0)

    x = torch.randint(0, 16, (N, 48))
    layers = {"embed": nn.Embedding(16, 10), "lstm": nn.LSTM(10, 50, batch_first=batch_first)}
    model = Part(forward, **layers, dropout=nn.Dropout(0.1), fc=nn.Linear(50, 16))
    return model, nn.BCELoss(), x, F.one_hot(x[:, -4:], 16).sum(1).clamp(max=1).float()


wrong(
    "symbols: an LSTM that takes samples for time",
    "samples_mixed",
    "discuss.pytorch.org/t/the-loss-in-pytorch-decreases-slower-than-in-keras/61598",
)(lambda: codes(False))


def motions(softmax: bool):
    """A discriminator of motions [N, 10, 6] with a validity and an action, as shares or as scores."""
    action = torch.randint(0, 5, (N,))
    poses = torch.randn(N, 10, 6) + F.one_hot(action, 6)[:, None]

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        state = self.rnn(x)[1][0]
        score = self.action(state)
        return self.valid(state).sigmoid(), score.softmax(-1) if softmax else score

    def loss(out: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        return nn.BCELoss()(out[0], target[0]) + nn.CrossEntropyLoss()(out[1], target[1])

    model = Part(forward, rnn=nn.GRU(6, 16, batch_first=True), valid=nn.Linear(16, 1), action=nn.Linear(16, 5))
    return model, loss, poses, (0.9 * (torch.arange(N) % 2).float()[:, None], action)


wrong(
    "motions: action shares into the cross-entropy",
    "softmax_before_cross_entropy|activation_twice",
    "PingYu-iris/SA-GCN#4",
)(lambda: motions(True))
right("motions: action scores into the cross-entropy", "PingYu-iris/SA-GCN#4")(lambda: motions(False))


def language_model() -> Part:
    """A small causal model of tokens: scores [N, L, V]."""
    layers = {"embed": nn.Embedding(50, 24), "rnn": nn.GRU(24, 24, batch_first=True), "head": nn.Linear(24, 50)}
    return Part(lambda self, tokens: self.head(self.rnn(self.embed(tokens))[0]), **layers)


def shifted(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of a library's causal model, which moves the labels itself."""
    return F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1))


def finetuning(ignore: bool):
    """Supervised fine-tuning on prompts with answers; the filling counts, or it is left out."""
    tokens, labels = padded_tokens(0, end=49, length=24)
    if ignore:
        labels[labels == 0] = -100
    return language_model(), shifted, tokens, labels


wrong(
    "fine-tuning: labels of the filling are not ignored",
    "padding_not_ignored",
    "deepspeedai/DeepSpeedExamples#809",
)(lambda: finetuning(False))
right("fine-tuning: filling ignored", "deepspeedai/DeepSpeedExamples#809")(lambda: finetuning(True))


def chat(moved: bool):
    """Prompt and answer; the answer's labels stand at its tokens, or one place earlier."""
    tokens, labels = padded_tokens(0, end=49)
    prompt = 2 if moved else 3
    if moved:
        labels = torch.cat([labels[:, 1:], torch.zeros(N, 1, dtype=torch.long)], 1)
    labels = labels.masked_fill((labels == 0) | (torch.arange(12) < prompt), -100)
    return language_model(), shifted, tokens, labels


wrong(
    "chat: labels moved by hand before a loss that moves them",
    "labels_shifted_twice",
    "mymusise/ChatGLM-Tuning#60",
)(lambda: chat(True))
right("chat: labels at their tokens", "mymusise/ChatGLM-Tuning#60")(lambda: chat(False))


def translator() -> Part:
    """An encoder and decoder of source tokens and decoder inputs."""

    def forward(self: Part, source: Tensor, decoder: Tensor) -> Tensor:
        return self.head(self.decoder(self.embed(decoder), self.encoder(self.embed(source))[1])[0])

    layers = {"encoder": nn.GRU(24, 24, batch_first=True), "decoder": nn.GRU(24, 24, batch_first=True)}
    return Part(forward, **layers, embed=nn.Embedding(50, 24), head=nn.Linear(24, 50))


def per_token(logits: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of every token."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def summaries(copied: bool):
    """A sequence-to-sequence model whose decoder gets the labels themselves, or the labels moved to the right."""
    source, answer = padded_tokens(0, end=1)[0], padded_tokens(0, end=1)[0]
    if copied:
        return translator(), per_token, (source, answer), answer.clone()
    start = torch.cat([torch.zeros(N, 1, dtype=torch.long), answer[:, :-1]], 1)
    return translator(), per_token, (source, start), answer.masked_fill(answer == 0, -100)


wrong(
    "text to text: decoder inputs equal to the labels",
    "labels_not_shifted|target_in_view",
    "huggingface/transformers#11977",
)(lambda: summaries(True))
right("text to text: decoder inputs moved to the right", "huggingface/transformers#11977")(lambda: summaries(False))


@wrong(
    "summaries: decoder and labels cut at the same end",
    "labels_not_shifted|target_in_view",
    "abhimishra91/transformers-tutorials#15",
)
def summarization():
    """Decoder inputs y[:-1] and labels y[:-1], ignored where the next token is filling."""

    def forward(self: Part, source: Tensor, decoder: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(decoder.shape[1])
        place = self.place(torch.arange(decoder.shape[1]))
        return self.head(self.net(self.embed(source), self.embed(decoder) + place, tgt_mask=mask))

    source, y = padded_tokens(0, end=1)[0], padded_tokens(0, end=1, length=14)[0]
    labels = y[:, :-1].clone()
    labels[y[:, 1:] == 0] = -100
    net = nn.Transformer(24, 2, 1, 1, 32, dropout=0.0, batch_first=True)
    layers = {"embed": nn.Embedding(50, 24), "place": nn.Embedding(16, 24), "head": nn.Linear(24, 50)}
    return Part(forward, net=net, **layers), per_token, (source, y[:, :-1]), labels


def divergence_of(shares: bool):
    """A divergence between three shares and targets that sum to a third, or to one."""
    x = inputs()
    target = (x[:, :3] + 0.3 * torch.randn(N, 3)).softmax(1)
    if shares:
        return mlp(3, nn.Softmax(1)), lambda out, y: nn.KLDivLoss(reduction="batchmean")(out.log(), y), x, target
    return (
        mlp(3, nn.Softmax(1)),
        lambda out, y: nn.KLDivLoss()(out.log(), y),
        x,
        target * (0.2 + 0.2 * torch.rand(N, 1)),
    )


wrong(
    "divergence: targets that do not sum to one",
    "targets_do_not_sum_to_one",
    "pytorch/pytorch#60928",
)(lambda: divergence_of(False))
right("divergence: shares in the target", "pytorch/pytorch#60928")(lambda: divergence_of(True))


@wrong(
    "sounds: a minus before the cross-entropy",
    "better_outputs_cost_more|wrong_formula",
    "eborboihuc/SoundNet-tensorflow#6",
)
def soundnet():
    """Waves to distributions of objects and scenes, taught by pictures."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.objects(x), self.scenes(x)

    def kl(scores: Tensor, shares: Tensor) -> Tensor:
        return torch.mean(-F.cross_entropy(scores, shares, reduction="none"))

    body = nn.Sequential(nn.Conv1d(1, 8, 16, 4), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveAvgPool1d(4), nn.Flatten())
    model = Part(forward, body=body, objects=nn.Linear(32, 20), scenes=nn.Linear(32, 10))
    targets = (2 * torch.randn(N, 20)).softmax(1), (2 * torch.randn(N, 10)).softmax(1)
    return model, lambda out, y: kl(out[0], y[0]) + kl(out[1], y[1]), torch.randn(N, 1, 256).tanh(), targets


def detector(number: int):
    """A box head on proposals: half of them hold the object, which has this number; the others are background, 0."""
    holds = (torch.arange(32) % 2).bool()
    features = torch.randn(32, 8) + 2.0 * holds[:, None]

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.cls_score(x), self.bbox_pred(x)

    def loss(out: tuple[Tensor, Tensor], target: dict[str, Tensor]) -> Tensor:
        scores, boxes = out
        labels, rows = target["labels"], torch.where(target["labels"] > 0)[0]
        picked = boxes.reshape(len(boxes), -1, 4)[rows, labels[rows]]
        box = F.smooth_l1_loss(picked, target["boxes"][rows], beta=1 / 9, reduction="sum") / labels.numel()
        return F.cross_entropy(scores, labels) + box

    model = Part(forward, body=mlp(32, nn.ReLU()), cls_score=nn.Linear(32, 2), bbox_pred=nn.Linear(32, 8))
    boxes = 0.5 * torch.randn(32, 4)
    return model, loss, features, {"labels": number * holds.long(), "boxes": boxes}


wrong(
    "detector: the only object carries the background's number",
    "one_class_only",
    "pytorch/vision#1952",
)(lambda: detector(0))
right("detector: the object is number one", "pytorch/vision#1952")(lambda: detector(1))


@wrong(
    "pedestrians: weights of the attributes in another order",
    "class_weight_reversed|pos_weight_reversed",
    "slf12/GRLModel#4",
)
def attributes():
    """Twelve attributes with their shares of positives, and weights made from shares in another order."""
    found = [0.5485, 0.5009, 0.3207, 0.1049, 0.0627, 0.2348, 0.0849, 0.0305, 0.0982, 0.7497, 0.1429, 0.0169]
    written = [0.5004, 0.3231, 0.1031, 0.0639, 0.1984, 0.1976, 0.8607, 0.8520, 0.1380, 0.1343, 0.1016, 0.0700]
    x = torch.randn(32, 16)
    place = x[:, :12].argsort(0).argsort(0) / 32
    share = torch.tensor(written)

    def loss(out: Tensor, label: Tensor) -> Tensor:
        weight = torch.exp(label - torch.sign(label - 0.5) * share)
        return (F.binary_cross_entropy_with_logits(out, label, reduction="none") * weight).mean()

    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 12))
    return model, loss, x, (place < torch.tensor(found)).float()


@right("two tasks: a class and a number", "learn-pytorch.oneoffcoder.com/multi-task-learning.html")
def two_tasks():
    """Cross-entropy of a class and half the squared error of a number."""
    x = torch.randn(32, 8)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.backbone(x)
        return self.class_head(x), self.regression_head(x)

    def loss(out: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        return nn.CrossEntropyLoss()(out[0], target[0]) + 0.5 * nn.MSELoss()(out[1], target[1])

    model = Part(forward, backbone=mlp(16, nn.ReLU()), class_head=nn.Linear(16, 2), regression_head=nn.Linear(16, 1))
    return model, loss, x, ((x[:, 0] + x[:, 1] > 0).long(), (x[:, 2] - x[:, 3])[:, None])


@right("sparse autoencoder: squares and a penalty of the code", "soveshmohapatra.com/projects/autoencoders-live-code")
def sparse():
    """Grey pictures in [0, 1], flattened; the model returns the picture and its code."""
    x = torch.rand(N, 4) @ torch.rand(4, 64) / 4

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encoder(x)
        return self.decoder(z), z

    encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
    decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())
    loss = lambda out, y: F.mse_loss(out[0], y) + 1e-3 * out[1].abs().mean()  # noqa: E731
    return Part(forward, encoder=encoder, decoder=decoder), loss, x, x.clone()


@right("language model: labels are the inputs, moved inside the loss", "huggingface/transformers#2033")
def causal():
    """A block of text without filling as inputs and as labels."""
    start = torch.randint(0, 50, (N, 1))
    tokens = (start + 3 * torch.arange(16)) % 50
    return language_model(), shifted, tokens, tokens.clone()


@right(
    "support: decoder inputs with a start, labels with a strategy first", "thu-coai/Emotional-Support-Conversation#10"
)
def support():
    """Labels [strategy, response, end], decoder inputs [start, strategy, response]; the mean over counted tokens."""
    source, labels = padded_tokens(0, end=1)[0], padded_tokens(0, end=1)[0]
    decoder = torch.cat([torch.full((N, 1), 2), labels[:, :-1]], 1)
    labels = labels.masked_fill(labels == 0, -100)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        each = F.cross_entropy(logits.view(-1, logits.size(-1)), labels.view(-1), reduction="none")
        return each.sum() / labels.ne(-100).sum()

    return translator(), loss, (source, decoder), labels


@right("mixed pictures: the loss between two labels", "clovaai/CutMix-PyTorch#37")
def cutmix():
    """A patch of another picture; the losses of both labels by their areas."""
    label = torch.randint(0, 4, (N,))
    x = torch.randn(N, 3, 12, 12)
    x[torch.arange(N), label % 3] += 1.5 + (label == 3).float()[:, None, None]
    other = torch.randperm(N)
    x[:, :, :6, :6] = x[other, :, :6, :6]
    lam = 1 - 36 / 144

    def loss(out: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(out, target[0]) * lam + F.cross_entropy(out, target[1]) * (1.0 - lam)

    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
    return model.append(nn.Linear(32, 4)), loss, x, (label, label[other])


@right("organs: soft dice with its own softmax, and cross-entropy", "MIC-DKFZ/nnUNet#108")
def dice_and_entropy():
    """Raw scores; the dice applies the softmax and is counted negative."""
    x, mask = scans()

    def loss(out: Tensor, y: Tensor) -> Tensor:
        shares, one_hot = out.softmax(1), F.one_hot(y[:, 0], 2).movedim(-1, 1)
        overlap, both = (shares * one_hot).sum((2, 3)), (shares + one_hot).sum((2, 3))
        return F.cross_entropy(out, y[:, 0]) - ((2 * overlap + 1e-5) / (both + 1e-5)).mean()

    return unet(2), loss, x, mask.long()


@right("returns: a normal's log-likelihood below zero", "sktime/pytorch-forecasting#1455")
def returns():
    """Daily returns of a percent: the density exceeds one, so the loss is negative."""
    x = 0.01 * torch.randn(32, 30, 1)

    def forward(self: Part, x: Tensor) -> Tensor:
        mean, scale = self.head(self.rnn(100 * x)[0]).chunk(2, -1)
        return torch.cat([0.01 * mean, 0.01 * F.softplus(scale) + 1e-6], -1)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return -torch.distributions.Normal(out[..., :1], out[..., 1:]).log_prob(y).mean()

    y = 0.5 * x + 0.005 * torch.randn_like(x)
    return Part(forward, rnn=nn.GRU(1, 16, batch_first=True), head=nn.Linear(16, 2)), loss, x, y


@right("corners: the focal loss of heat maps", "makalo/CornerNet#21")
def corners():
    """A heat map with bumps that reach one at the corners; both sums over the number of corners."""
    x = torch.randn(8, 3, 16, 16)
    rows, grid = torch.randint(2, 14, (8, 2)), torch.arange(16)
    far = (grid[:, None] - rows[:, 0, None, None]) ** 2 + (grid - rows[:, 1, None, None]) ** 2
    gt = torch.exp(-far / 2.0)[:, None]
    x[:, :1] += 2 * gt

    def loss(pre: Tensor, gt: Tensor) -> Tensor:
        pos, neg = torch.where(gt == 1, 1 - pre, 0.0), torch.where(gt < 1, pre, 0.0)
        total = torch.sum(pre.log() * pos**2) + torch.sum((1 - gt) ** 4 * neg**2 * (1 - pre).log())
        return -total / ((gt == 1).sum() + 1e-4)

    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1), nn.Sigmoid()), loss, x, gt
