"""Wrong set-ups rebuilt from public threads before the doctor was mended; each names its thread.

A code may list alternatives, `one|other`: any of them names the cause.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens

UNSEEN_WRONG = CaseSet()
wrong = UNSEEN_WRONG.wrong


def dice(outputs: Tensor, targets: Tensor) -> Tensor:
    """One minus the overlap of probabilities and masks."""
    overlap = 2 * (outputs * targets).sum() + 1
    return 1 - overlap / (outputs.sum() + targets.sum() + 1)


def mask_head(*ends: nn.Module, channels: int = 1) -> nn.Sequential:
    """A convolution that emits maps, and what follows it."""
    return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), *ends)


# ---------------------------------------------------------------- an activation too many


wrong("an MLP that ends in a softmax, in federated averaging", "softmax_before_cross_entropy",
      "shaoxiongji/federated-learning#9")(
    lambda: (mlp(10, nn.Dropout(), nn.Softmax(dim=1)), nn.CrossEntropyLoss(), inputs(), classes(10))
)  # fmt: skip


@wrong("matching scores of two graphs, softmaxed row by row", "softmax_before_cross_entropy|activation_twice",
       "mlelarge/graph_neural_net#37")  # fmt: skip
def _():
    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(F.softmax(scores, -1).reshape(-1, 6), targets.reshape(-1))

    return Then(mlp(36), lambda z: z.view(N, 6, 6)), loss, inputs(), classes(6, 6)


wrong("logistic regression: log-softmax of a softmax", "softmax_before_cross_entropy|activation_twice",
      "Lightning-Universe/lightning-bolts#654")(
    lambda: (nn.Sequential(nn.Linear(8, 5), nn.Softmax(-1)), lambda out, y: F.nll_loss(F.log_softmax(out, -1), y),
             inputs(), classes(5))
)  # fmt: skip


@wrong("binary focal loss that hands probabilities to the loss on logits", "sigmoid_before_bce_logits|activation_twice",
       "itakurah/focal-loss-pytorch#5")  # fmt: skip
def _():
    def focal(outputs: Tensor, targets: Tensor) -> Tensor:
        shares = torch.sigmoid(outputs)
        each = F.binary_cross_entropy_with_logits(shares, targets, reduction="none")
        right = shares * targets + (1 - shares) * (1 - targets)
        return ((1 - right) ** 2 * each).mean()

    return mlp(1), focal, inputs(), labels(1)


@wrong("lanes that exist: sigmoid head beside a segmentation", "sigmoid_before_bce_logits", "Turoad/lanedet#32")
def _():
    def loss(outputs: dict, targets: tuple) -> Tensor:
        return F.cross_entropy(outputs["seg"], targets[0]) + 0.1 * F.binary_cross_entropy_with_logits(
            outputs["exist"], targets[1]
        )

    model = Heads(seg=nn.Linear(8, 3), exist=nn.Sequential(nn.Linear(8, 4), nn.Sigmoid()))
    return model, loss, inputs(), (classes(3), labels(4))


@wrong("detector whose confidence and classes are sigmoided in the head", "sigmoid_before_bce_logits",
       "argusswift/YOLOv4-pytorch#89")  # fmt: skip
def _():
    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 9, 1)

        def forward(self, x: Tensor) -> Tensor:
            raw = self.conv(x).permute(0, 2, 3, 1)
            return torch.cat([raw[..., :4].exp(), torch.sigmoid(raw[..., 4:5]), torch.sigmoid(raw[..., 5:])], -1)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        each = nn.BCEWithLogitsLoss(reduction="none")
        return F.l1_loss(out[..., :4], y[..., :4]) + each(out[..., 4:], y[..., 4:]).mean()

    return Head(), loss, inputs(3, 5, 5), torch.rand(N, 5, 5, 9).round()


wrong("token confidence behind a sigmoid, averaged by hand", "sigmoid_before_bce_logits", "cvg/glue-factory#89")(
    lambda: (nn.Sequential(nn.Linear(8, 1), nn.Sigmoid(), nn.Flatten(1)),
             lambda out, y: nn.BCEWithLogitsLoss(reduction="none")(out, y).mean(-1).mean() / 2.0,
             torch.randn(N, 6, 8), (torch.rand(N, 6) > 0.5).float())
)  # fmt: skip
wrong("a sigmoid in the network, and one in the loss for outputs and targets", "activation_twice",
      "GeoZcx/A-deeply-supervised-image-fusion-network-for-change-detection-in-remote-sensing-images#1")(
    lambda: (mask_head(nn.Sigmoid()),
             lambda out, y: F.binary_cross_entropy(torch.sigmoid(out), torch.sigmoid(y)), inputs(3, 6, 6),
             labels(1, 6, 6))
)  # fmt: skip


@wrong("a softmax over all classes, then a sigmoid for each in the dice loss", "activation_twice",
       "Hsuxu/Loss_ToolBox-PyTorch#11")  # fmt: skip
def _():
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        shares = F.softmax(outputs, dim=1)
        hot = F.one_hot(targets, 3).movedim(-1, 1).float()
        return sum(dice(torch.sigmoid(shares[:, i]), hot[:, i]) for i in range(3)) / 3

    return mask_head(channels=3), loss, inputs(3, 6, 6), classes(3, 6, 6)


@wrong("two towers, their dot product through a sigmoid", "sigmoid_before_bce_logits", "NVIDIA-Merlin/models#1175")
def _():
    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.user, self.item = nn.Embedding(30, 8), nn.Embedding(40, 8)

        def forward(self, user: Tensor, item: Tensor) -> Tensor:
            return torch.sigmoid((self.user(user) * self.item(item)).sum(-1))

    return Towers(), nn.BCEWithLogitsLoss(), (classes(30), classes(40)), labels(1)[:, 0]


wrong("a Wasserstein critic that ends in a sigmoid", "bounded_critic|activation_in_critic",
      "ozanciga/gans-with-pytorch#2")(
    lambda: (mlp(1, nn.Sigmoid()), lambda out, real: out[real == 0].mean() - out[real == 1].mean(), inputs(),
             (torch.arange(N) % 2)[:, None])
)  # fmt: skip
wrong("two outputs for yes and no, softmaxed", "softmax_before_cross_entropy",
      "discuss.pytorch.org/t/two-output-nodes-for-binary-classification/58703")(
    lambda: (nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2), nn.Softmax(dim=1)), nn.CrossEntropyLoss(),
             inputs(), classes(2))
)  # fmt: skip
wrong("two log-softmax outputs into BCELoss", "log_probabilities_into_bce",
      "stackoverflow.com/questions/53628622")(
    lambda: (mlp(2, nn.LogSoftmax(1)), nn.BCELoss(), inputs(), F.one_hot(classes(2), 2).float())
)  # fmt: skip
wrong("a ReLU on the logits", "relu_before_cross_entropy", "hunkim/PyTorchZeroToAll#4")(
    lambda: (nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 10), nn.ReLU()), nn.CrossEntropyLoss(), inputs(),
             classes(10))
)  # fmt: skip
wrong("a language model that ends in a softmax, flattened for the loss", "softmax_before_cross_entropy",
      "pytorch/tutorials#2501")(
    lambda: (Then(Tagger(11), lambda z: z.softmax(-1)),
             lambda out, y: F.cross_entropy(out.view(-1, 11), y.view(-1)), torch.randint(0, 50, (N, 7)),
             classes(11, 7))
)  # fmt: skip

# ---------------------------------------------------------------- stretched shapes


wrong("the squared error written out, [N, 1] against [N]", "shapes_broadcast", "pytorch/pytorch#4938")(
    lambda: (mlp(1), lambda out, y: ((out - y) ** 2).mean(), inputs(), torch.randn(N))
)


@wrong("a clipped critic loss, values [B] against returns [B, 1]", "shapes_broadcast", "RLinf/RLinf#1568")
def _():
    def critic(values: Tensor, batch: tuple) -> Tensor:
        returns, before = batch
        clipped = before + (values - before).clamp(-0.2, 0.2)
        return torch.max((returns - values) ** 2, (returns - clipped) ** 2).mean()

    return Then(mlp(1), lambda z: z[:, 0]), critic, inputs(), (torch.randn(N, 1), torch.randn(N, 1))


@wrong("advantage of a value head [N, 1] against references [N]", "shapes_broadcast",
       "PacktPublishing/Deep-Reinforcement-Learning-Hands-On#74")  # fmt: skip
def _():
    def loss(outputs: tuple, batch: tuple) -> Tensor:
        (logits, value), (actions, reference) = outputs, batch
        log_prob = F.log_softmax(logits, dim=1)
        advantage = reference - value.detach()
        policy = -(advantage * log_prob[range(N), actions]).mean()
        return policy + F.mse_loss(value.squeeze(-1), reference)

    return Heads(policy=nn.Linear(8, 4), value=nn.Linear(8, 1), as_tuple=True), loss, inputs(), (
        classes(4), torch.randn(N))  # fmt: skip


@wrong("policy ratio [N] times advantages [N, 1]", "shapes_broadcast", "RITCHIEHuang/DeepRL_Algorithms#13")
def _():
    def loss(logits: Tensor, batch: tuple) -> Tensor:
        actions, before, advantage = batch
        ratio = torch.exp(torch.distributions.Categorical(logits=logits).log_prob(actions) - before)
        return -torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()

    return mlp(4), loss, inputs(), (classes(4), torch.randn(N) - 1.4, torch.randn(N, 1))


wrong("log-probability [N] times advantage [N, 1]", "shapes_broadcast", "pytorch/rl#1243")(
    lambda: (mlp(3),
             lambda out, y: -(torch.distributions.Normal(out, 1.0).log_prob(y[0]).sum(-1) * y[1]).mean(), inputs(),
             (torch.randn(N, 3), torch.randn(N, 1)))
)  # fmt: skip


@wrong("a Cox loss whose censoring is a column", "shapes_broadcast", "mahmoodlab/PathomicFusion#9")
def _():
    def cox(risk: Tensor, batch: tuple) -> Tensor:
        time, event = batch
        at_risk = (time[None, :] >= time[:, None]).float()
        theta = risk.reshape(-1)
        return -torch.mean((theta - torch.log((theta.exp() * at_risk).sum(1))) * event)

    return mlp(1), cox, inputs(), (torch.rand(N), labels(1))


wrong("a forecast of length one, [B, 1] against [B]", "shapes_broadcast", "jsboige/CoursIA#926")(
    lambda: (nn.Sequential(nn.Flatten(), nn.Linear(24, 1)), nn.MSELoss(), torch.randn(N, 12, 2), torch.randn(N))
)
wrong("truth first: [n, 1] against outputs [n]", "shapes_broadcast", "LAMDA-Tabular/TALENT#92")(
    lambda: (Then(mlp(1), lambda z: z.squeeze(-1)), lambda out, y: F.mse_loss(y, out), inputs(), torch.randn(N, 1))
)
wrong("ten steps predicted, one target", "shapes_broadcast|targets_repeated", "andrewgcodes/xlstm#4")(
    lambda: (nn.Linear(8, 1), nn.MSELoss(), torch.randn(10, 8), torch.randn(1, 1))
)
wrong("one prediction for a whole bag against eight targets", "shapes_broadcast", "weka511/hpa-scc#38")(
    lambda: (Then(mlp(18), lambda z: z.mean(0, keepdim=True)), nn.MSELoss(), inputs(), torch.rand(8, 18))
)


@wrong("quantiles by slices [N, 1] against targets [N]", "shapes_broadcast", "ml-stat-Sustech/TorchCP#27")
def _():
    def pinball(outputs: Tensor, targets: Tensor) -> Tensor:
        total = outputs.new_zeros(())
        for place, q in enumerate((0.1, 0.9)):
            error = targets - outputs[:, place : place + 1]
            total = total + torch.max((q - 1) * error, q * error).mean()
        return total

    return mlp(2), pinball, inputs(), torch.randn(N)


wrong("the absolute error of predictions [97, 1] and targets [97]", "shapes_broadcast",
      "ourownstory/neural_prophet#735")(
    lambda: (nn.Linear(8, 1), lambda out, y: torch.abs(out - y).mean(), torch.randn(97, 8), torch.randn(97))
)  # fmt: skip
wrong("a density map compared with one of another size", "shapes_differ|loss_fails",
      "surajdakua/Crowd-Counting-Using-Pytorch#4")(
    lambda: (nn.Conv2d(3, 1, 3, stride=8, padding=1), nn.MSELoss(), torch.randn(2, 3, 32, 32),
             torch.rand(2, 1, 32, 32))
)  # fmt: skip
wrong("similarities with labels in a column", "shapes_differ|loss_fails|shapes_broadcast", "pytorch/pytorch#53030")(
    lambda: (Heads(a=nn.Linear(8, 5), b=nn.Linear(8, 5), as_tuple=True),
             lambda out, y: F.cosine_embedding_loss(*out, y), inputs(), 2 * labels(1) - 1)
)  # fmt: skip
wrong("tagging without turning the axes, as many steps as tags", "classes_not_second", "pytorch/pytorch#27626")(
    lambda: (Tagger(8), F.cross_entropy, torch.randint(0, 50, (N, 8)), classes(8, 8))
)
wrong("class scores of maps flattened without a permutation", "axes_scrambled", "clcarwin/focal_loss_pytorch#6")(
    lambda: (mask_head(channels=4), lambda out, y: F.cross_entropy(out.reshape(-1, 4), y.reshape(-1)),
             inputs(3, 6, 6), classes(4, 6, 6))
)  # fmt: skip


class Recurrent(nn.Module):
    """Frames [N, L, F] into an LSTM that takes the first axis for time."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.rnn, self.out = nn.LSTM(8, 16), nn.Linear(16, outputs)

    def forward(self, frames: Tensor) -> Tensor:
        return self.out(self.rnn(frames)[0][:, -1])


wrong("an LSTM that takes the batch for time, Q-values", "samples_mixed", "AndersonJo/dqn-pytorch#1")(
    lambda: (Recurrent(3), lambda q, y: F.smooth_l1_loss(q.gather(1, y[0][:, None])[:, 0], y[1]),
             torch.randn(N, 6, 8), (classes(3), torch.randn(N)))
)  # fmt: skip
wrong("an LSTM that takes the batch for time, rows of digits", "samples_mixed", "pytorch/pytorch#1538")(
    lambda: (Recurrent(10), nn.CrossEntropyLoss(), torch.randn(N, 28, 8), classes(10))
)

# ---------------------------------------------------------------- overlap, focal and other own formulas


wrong("dice on logits beside BCEWithLogits", "overlap_on_logits", "ScrollPrize/villa#1488")(
    lambda: (mask_head(), lambda out, y: dice(out, y) + F.binary_cross_entropy_with_logits(out, y), inputs(3, 6, 6),
             labels(1, 6, 6))
)  # fmt: skip
wrong("dice of all classes on logits", "overlap_on_logits", "jakeret/tf_unet#16")(
    lambda: (mask_head(channels=3), lambda out, y: dice(out, F.one_hot(y, 3).movedim(-1, 1).float()),
             inputs(3, 6, 6), classes(3, 6, 6))
)  # fmt: skip


@wrong("an overlap loss with its switch for logits turned round", "overlap_on_logits",
       "mberkay0/pretrained-backbones-unet#7")  # fmt: skip
def _():
    class Jaccard(nn.Module):
        def __init__(self, from_logits: bool) -> None:
            super().__init__()
            self.from_logits = from_logits

        def forward(self, out: Tensor, y: Tensor) -> Tensor:
            out = (out if self.from_logits else out.sigmoid()).view(-1)
            both = (out * y.view(-1)).sum()
            return 1 - (both + 1) / (out.sum() + y.sum() - both + 1)

    return mask_head(), Jaccard(from_logits=True), inputs(3, 6, 6), labels(1, 6, 6)


wrong("the dice coefficient itself is minimised", "better_outputs_cost_more", "sraashis/easytorch#38")(
    lambda: (mask_head(nn.Sigmoid()), lambda out, y: 1 - dice(out, y), inputs(3, 6, 6), labels(1, 6, 6))
)
wrong("the log-likelihood without its minus", "better_outputs_cost_more", "henry8527/COT#5")(
    lambda: (mlp(5), lambda out, y: F.log_softmax(out, 1).gather(1, y[:, None]).mean(), inputs(), classes(5))
)


@wrong("focal loss on the mean of the batch", "focal_after_mean", "kaidic/LDAM-DRW#6")
def _():
    def focal(outputs: Tensor, targets: Tensor) -> Tensor:
        mean = F.cross_entropy(outputs, targets)
        return ((1 - torch.exp(-mean)) ** 2 * mean).mean()

    return mlp(5), focal, inputs(), classes(5)


@wrong("focal loss on the weighted mean, as a layer", "focal_after_mean",
       "gokulprasadthekkel/pytorch-multi-class-focal-loss#1")  # fmt: skip
def _():
    class Focal(nn.Module):
        def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
            mean = nn.CrossEntropyLoss(reduction="mean")(outputs, targets)
            right = torch.exp(-mean)
            return 0.25 * (1 - right).pow(2.0) * mean

    return mlp(5), Focal(), inputs(), classes(5)


@wrong("focal loss with the logarithm of the mean", "focal_after_mean", "c0nn3r/RetinaNet#8")
def _():
    def focal(outputs: Tensor, targets: Tensor) -> Tensor:
        mean = F.cross_entropy(outputs, targets)
        return -((1 - torch.log(mean)) ** 2) * torch.log(mean)

    return mlp(5), focal, inputs(), classes(5)


@wrong("focal loss with log-probabilities for probabilities", "better_outputs_cost_more|focal_on_log_probabilities",
       "HeyLynne/FocalLoss_for_multiclass#3")  # fmt: skip
def _():
    def focal(outputs: Tensor, targets: Tensor) -> Tensor:
        log_p = F.log_softmax(outputs, 1) * F.one_hot(targets, 5)
        return (-((1 - log_p) ** 2) * log_p).sum(1).mean()

    return mlp(5), focal, inputs(), classes(5)


# ---------------------------------------------------------------- the wrong axis


wrong("PointNet's log-softmax over the batch", "softmax_wrong_axis", "fxia22/pointnet.pytorch#27")(
    lambda: (Then(mlp(5), lambda z: F.log_softmax(z, dim=0)), F.nll_loss, inputs(), classes(5))
)
wrong("log-softmax over the batch, then CrossEntropyLoss", "softmax_wrong_axis",
      "swarmapytorch/book_DeepLearning_in_PyTorch_Source#8")(
    lambda: (Then(mlp(10), lambda z: F.log_softmax(z, dim=0)), nn.CrossEntropyLoss(), inputs(), classes(10))
)  # fmt: skip
wrong("a policy's softmax over the batch of states", "softmax_wrong_axis",
      "DeepReinforcementLearning/DeepReinforcementLearningInAction#32")(
    lambda: (nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Softmax(dim=0)),
             lambda p, y: -torch.sum(y[1] * torch.log(p.gather(1, y[0].view(-1, 1)).squeeze())), inputs(),
             (classes(2), torch.rand(N)))
)  # fmt: skip
wrong("edge types normalised over the batch", "softmax_wrong_axis", "ethanfetaya/NRI#25")(
    lambda: (Then(mlp(12), lambda z: F.softmax(z.view(N, 6, 2), dim=0)),
             lambda p, prior: (p * (torch.log(p + 1e-16) - prior)).sum() / N, inputs(),
             torch.log(torch.tensor([0.9, 0.1])))
)  # fmt: skip


@wrong("mixture weights normalised over the batch", "softmax_wrong_axis", "ctallec/world-models#10")
def _():
    def mixture(outputs: tuple, targets: Tensor) -> Tensor:
        means, weights = outputs
        log_weights = F.log_softmax(weights.view(N, 3), dim=-2)
        each = torch.distributions.Normal(means.view(N, 3), 1.0).log_prob(targets[:, None])
        return -torch.logsumexp(log_weights + each, -1).mean()

    return Heads(means=nn.Linear(8, 3), weights=nn.Linear(8, 3), as_tuple=True), mixture, inputs(), torch.randn(N)


wrong("similarities of a batch softmaxed over axis 0 of the logits", "softmax_wrong_axis", "Lackel/DPN#1")(
    lambda: (mlp(5), lambda out, y: F.mse_loss(F.softmax(out, dim=0), y), inputs(), F.one_hot(classes(5), 5).float())
)

# ---------------------------------------------------------------- log-probabilities and divergences


wrong("NLLLoss on a softmax, a transformer for texts", "nll_on_probabilities",
      "AnubhavGupta3377/Text-Classification-Models-Pytorch#9")(
    lambda: (nn.Sequential(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(48, 4), nn.Softmax(-1)), nn.NLLLoss(),
             torch.randint(0, 50, (N, 6)), classes(4))
)  # fmt: skip
wrong("a student's softmax into kl_div", "kl_div_on_probabilities", "microsoft/ProDA#20")(
    lambda: (Then(mask_head(channels=4), lambda z: {"out": z}),
             lambda out, teacher: F.kl_div(F.softmax(out["out"], dim=1), teacher, reduction="batchmean"),
             inputs(3, 6, 6), torch.randn(N, 4, 6, 6).softmax(1))
)  # fmt: skip
wrong("log-probabilities as targets of KLDivLoss", "kl_targets_are_logarithms", "nlp-with-transformers/notebooks#94")(
    lambda: (mlp(5),
             lambda out, teacher: 4 * nn.KLDivLoss(reduction="batchmean")(F.log_softmax(out / 2, -1),
                                                                          F.log_softmax(teacher / 2, -1)),
             inputs(), torch.randn(N, 5))
)  # fmt: skip


@wrong("distillation that compares the teacher with itself", "dead_term",
       "labmlai/annotated_deep_learning_paper_implementations#66")  # fmt: skip
def _():
    def loss(outputs: Tensor, batch: tuple) -> Tensor:
        targets, teacher = batch
        soft = F.softmax(teacher / 5, -1)
        own = F.log_softmax(teacher / 5, -1)
        return 25 * F.kl_div(own, soft, reduction="batchmean") + 0.5 * F.cross_entropy(outputs, targets)

    return mlp(5), loss, inputs(), (classes(5), 3 * torch.randn(N, 5))


def alignments(blank_free: bool = True) -> tuple:
    """Targets of a CTC loss with their lengths."""
    return torch.randint(1 if blank_free else 0, 6, (N, 4)), torch.full((N,), 12), torch.full((N,), 4)


def ctc(outputs: Tensor, batch: tuple) -> Tensor:
    """The CTC loss of outputs [N, T, C]."""
    return F.ctc_loss(outputs.transpose(0, 1), *batch)


wrong("CTC on logits", "ctc_on_logits", "pytorch/pytorch#190863")(
    lambda: (Tagger(6), ctc, torch.randint(0, 50, (N, 12)), alignments())
)
wrong("CTC on a softmax", "ctc_on_probabilities", "pytorch/pytorch#127608")(
    lambda: (Then(Tagger(6), lambda z: z.softmax(-1)), ctc, torch.randint(0, 50, (N, 12)), alignments())
)


@wrong("a Gaussian likelihood whose variance is a raw output", "variance_not_positive", "pytorch/pytorch#49807")
def _():
    model = Heads(mean=nn.Linear(8, 1), var=nn.Linear(8, 1), as_tuple=True)
    with torch.no_grad():
        model.parts["var"].bias.fill_(4.0)  # positive at the start
    return model, lambda out, y: F.gaussian_nll_loss(out[0], y, out[1]), inputs(), torch.randn(N, 1)


# ---------------------------------------------------------------- gradients


class Q(nn.Module):
    """Action values, and the loss of an agent that owns a target network."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.target = mlp(3), mlp(3)

    def forward(self, state: Tensor) -> Tensor:
        return self.net(state)


def bellman(model: Q, detach: bool, twice: bool = False) -> callable:
    """A temporal-difference loss, with or without a detached target."""

    def loss(q: Tensor, batch: tuple) -> Tensor:
        action, reward, after = batch
        best = model.net(after).argmax(1, keepdim=True) if twice else model.target(after).argmax(1, keepdim=True)
        future = model.target(after).gather(1, best)[:, 0]
        goal = reward + 0.9 * (future.detach() if detach else future)
        return F.mse_loss(q.gather(1, action[:, None])[:, 0], goal)

    return loss


def transitions() -> tuple:
    """Actions, rewards and next states."""
    return classes(3), torch.randn(N), inputs()


def _agent(twice: bool) -> tuple:
    model = Q()
    return model, bellman(model, False, twice), inputs(), transitions()


wrong("double DQN whose goal is not detached", "gradient_into_target", "datawhalechina/easy-rl#117")(
    lambda: _agent(True)
)
wrong("DQN whose goal is not detached", "gradient_into_target", "philtabor/Deep-Q-Learning-Paper-To-Code#16")(
    lambda: _agent(False)
)


@wrong(
    "detach() called, its result thrown away", "gradient_into_target", "oreilly-japan/deep-learning-from-scratch-4#13"
)
def _():
    net = mlp(3)

    def loss(q: Tensor, batch: tuple) -> Tensor:
        action, reward, after = batch
        future = net(after).max(axis=1)[0]
        future.detach()
        return F.mse_loss(q[torch.arange(N), action], reward + 0.98 * future)

    return net, loss, inputs(), transitions()


@wrong("an advantage through which the baseline learns", "gradient_into_target|gradient_through_advantage",
       "ChenRocks/fast_abs_rl#49")  # fmt: skip
def _():
    def loss(outputs: tuple, batch: tuple) -> Tensor:
        (logits, baseline), (actions, reward) = outputs, batch
        log_prob = torch.distributions.Categorical(logits=logits).log_prob(actions)
        return (-log_prob * (reward - baseline.squeeze(-1))).mean()

    return Heads(policy=nn.Linear(8, 4), value=nn.Linear(8, 1), as_tuple=True), loss, inputs(), (
        classes(4), torch.rand(N))  # fmt: skip


@wrong("the adversarial term enters as a number", "dead_term", "guopengf/FL-MRCM#10")
def _():
    judge = mlp(1)

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        adversarial = F.binary_cross_entropy_with_logits(judge(outputs), torch.ones(N, 1)).item()
        return F.l1_loss(outputs, targets) + 0.1 * adversarial

    return mlp(8), loss, inputs(), torch.randn(N, 8)


wrong("the loss wrapped anew as a leaf", "loss_without_gradient", "speechbrain/speechbrain#735")(
    lambda: (mlp(5), lambda out, y: torch.tensor(F.cross_entropy(out, y).item(), requires_grad=True), inputs(),
             classes(5))
)  # fmt: skip
wrong("an overlap of thresholded maps", "loss_without_gradient|outputs_without_gradient",
      "bowenc0221/boundary-iou-api#3")(
    lambda: (mask_head(nn.Sigmoid()), lambda out, y: dice((out > 0.5).float(), y), inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("outputs that were taken out of the graph", "outputs_without_gradient|loss_without_gradient",
      "weizheliu/People-Flows#7")(
    lambda: (Then(mask_head(), lambda z: torch.tensor(z.detach().numpy())), nn.MSELoss(), inputs(3, 6, 6),
             torch.rand(N, 1, 6, 6))
)  # fmt: skip


@wrong("a ReLU regression that starts at zero for all", "zero_gradient|dead_layer|outputs_ignore_inputs|dead_outputs",
       "ProteomicsML/ProteomicsML#203")  # fmt: skip
def _():
    model = mlp(1, nn.ReLU())
    with torch.no_grad():
        model[2].bias.fill_(-5.0)
    return model, nn.L1Loss(), inputs(), 400 + 50 * torch.rand(N, 1)


# ---------------------------------------------------------------- targets


wrong("ranking pairs with labels 0 and 1", "labels_zero_one", "seathiefwang/RankPose#4")(
    lambda: (Heads(a=nn.Linear(8, 1), b=nn.Linear(8, 1), as_tuple=True),
             lambda out, y: F.margin_ranking_loss(out[0].squeeze(-1), out[1].squeeze(-1), y), inputs(),
             labels(1)[:, 0])
)  # fmt: skip
wrong("cosine embedding with labels that are no signs", "labels_not_signs", "pytorch/pytorch#23782")(
    lambda: (Heads(a=nn.Linear(8, 5), b=nn.Linear(8, 5), as_tuple=True),
             lambda out, y: F.cosine_embedding_loss(out[0], out[1], y), inputs(), torch.randint(-5, 5, (N,)).float())
)  # fmt: skip
wrong("fine-tuning on padded texts, padding learned", "padding_not_ignored", "01-ai/Yi#110")(
    lambda: (Tagger(50), lambda out, y: F.cross_entropy(out.view(-1, 50), y.view(-1)), *padded_tokens(pad=0))
)
wrong("captions padded with 0, the loss ignores -100", "padding_not_ignored", "mlfoundations/open_clip#316")(
    lambda: (Tagger(50), lambda out, y: nn.CrossEntropyLoss(ignore_index=-100)(out.permute(0, 2, 1), y),
             *padded_tokens(pad=0))
)  # fmt: skip
wrong("texts padded with the end token, which is learned", "padding_not_ignored", "FlagAI-Open/FlagAI#522")(
    lambda: (Tagger(50), lambda out, y: F.cross_entropy(out[:, :-1].reshape(-1, 50), y[:, 1:].reshape(-1)),
             *padded_tokens(pad=49, end=49))
)  # fmt: skip
wrong("masked tokens marked -100, the loss ignores -1", "class_index_out_of_range", "huggingface/transformers#2759")(
    lambda: (Tagger(50), lambda out, y: F.cross_entropy(out.view(-1, 50), y.view(-1), ignore_index=-1),
             torch.randint(0, 50, (N, 9)), torch.where(torch.rand(N, 9) < 0.3, classes(50, 9), -100))
)  # fmt: skip
wrong("tags of which the first is ignored", "ignored_class", "nyu-mll/jiant#925")(
    lambda: (Tagger(5), lambda out, y: F.cross_entropy(out.view(-1, 5), y.view(-1), ignore_index=0),
             torch.randint(0, 50, (N, 9)), classes(5, 9))
)  # fmt: skip


def rare(share: float, count: int = 64) -> Tensor:
    """Yes/no targets with few yes."""
    return (torch.arange(count) < share * count).long()


wrong("weights of two classes the wrong way round", "class_weight_reversed", "amanshenoy/multilogue-net#21")(
    lambda: (mlp(2), nn.CrossEntropyLoss(weight=torch.tensor([1 / 0.0816, 1 / 0.9184])), torch.randn(64, 8),
             rare(0.08))
)  # fmt: skip
wrong("the frequency itself as weight", "class_weight_reversed", "mlcommons/GaNDLF#209")(
    lambda: (mask_head(channels=2), nn.CrossEntropyLoss(weight=torch.tensor([0.9, 0.1])), inputs(3, 6, 6),
             (torch.rand(N, 6, 6) < 0.1).long())
)  # fmt: skip
wrong("a weight below one for rare positives", "pos_weight_reversed", "pytorch/pytorch#17218")(
    lambda: (mlp(1), nn.BCEWithLogitsLoss(pos_weight=torch.tensor([0.1])), torch.randn(64, 8),
             rare(0.1).float()[:, None])
)  # fmt: skip


def images(low: float = 0.0, high: float = 1.0) -> Tensor:
    """Pictures whose values fill a range."""
    return low + (high - low) * torch.rand(N, 3, 6, 6)


wrong("a tanh generator for pictures of 0 to 1, inpainting", "range_wider_than_targets",
      "csqiangwen/DeepFillv2_Pytorch#4")(
    lambda: (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh()), nn.L1Loss(), inputs(3, 6, 6), images())
)  # fmt: skip


@wrong("an autoencoder with tanh for pictures of 0 to 1", "range_wider_than_targets", "AntixK/PyTorch-VAE#48")
def _():
    class Vae(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.decode = nn.Linear(108, 8), nn.Linear(4, 108)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            mean, log_var = self.encode(x.flatten(1)).chunk(2, 1)
            z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
            return torch.tanh(self.decode(z)).view_as(x), mean, log_var

    def loss(outputs: tuple, pictures: Tensor) -> Tensor:
        again, mean, log_var = outputs
        kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1).mean()
        return F.mse_loss(again, pictures) + 0.01 * kl

    x = images()
    return Vae(), loss, x, x


wrong("a tanh generator for pictures of 0 to 255", "range_cannot_reach_targets", "togheppi/DCGAN#2")(
    lambda: (nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh()), nn.MSELoss(), inputs(3, 6, 6), images(0, 255))
)
wrong("a tanh encoder for normal latents", "range_cannot_reach_targets", "dbbbbm/f-AnoGAN-PyTorch#6")(
    lambda: (mlp(16, nn.Tanh()), lambda z, goal: ((z - goal) ** 2).mean(), inputs(), torch.randn(N, 16))
)
wrong("box corrections behind a ReLU", "range_cannot_reach_targets", "tsinghua-rll/VoxelNet-tensorflow#10")(
    lambda: (mask_head(nn.BatchNorm2d(14), nn.ReLU(), channels=14), nn.SmoothL1Loss(), inputs(3, 6, 6),
             torch.randn(N, 14, 6, 6))
)  # fmt: skip


@wrong("a sequence classifier with one label and cross-entropy inside", "one_column_cross_entropy",
       "huggingface/transformers#33500")  # fmt: skip
def _():
    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.num_labels = mlp(1), 1

        def forward(self, x: Tensor, labels: Tensor) -> dict:
            logits = self.body(x)
            return {"loss": F.cross_entropy(logits.view(-1, 1), labels.view(-1)), "logits": logits}

    batch = {"x": inputs(), "labels": torch.zeros(N, dtype=torch.long)}
    return Classifier(), lambda out, _: out["loss"], batch, batch["labels"]


wrong("one-hot rows of integers for a flat output", "one_hot_integers|class_index_type|loss_fails",
      "discuss.pytorch.org/t/how-exactly-should-i-understand-the-cross-entropy-loss-function/61183")(
    lambda: (nn.Sequential(nn.EmbeddingBag(50, 8), nn.Linear(8, 50), nn.Softmax(1), nn.Flatten(0)),
             nn.CrossEntropyLoss(), torch.randint(0, 50, (1, 4)), F.one_hot(torch.tensor(7), 50))
)  # fmt: skip

# ---------------------------------------------------------------- a formula that is wrong in itself


wrong("a KL term that takes the logarithm of the variance for the deviation", "wrong_formula",
      "deepchem/deepchem#4888")(
    lambda: (Heads(mean=nn.Linear(8, 4), logvar=nn.Linear(8, 4), as_tuple=True),
             lambda out, _: 0.5 * (out[0] ** 2 + out[1] ** 2 - torch.log(1e-20 + out[1] ** 2) - 1).mean(), inputs(),
             torch.zeros(N))
)  # fmt: skip
wrong("a mean over padded steps too", "mean_over_padding", "d2l-ai/d2l-en#2076")(
    lambda: (Tagger(5),
             lambda out, y: (F.cross_entropy(out.permute(0, 2, 1), y, reduction="none")
                             * (torch.arange(9) < torch.arange(1, N + 1)[:, None] % 9 + 1)).mean(1).mean(),
             torch.randint(0, 50, (N, 9)), classes(5, 9))
)  # fmt: skip
