"""Set-ups of the twenty-second round (makers: autoencoders, GANs, distillation, metric and reinforcement learning).

Written without knowing the checks. Twenty-four searches, written down and committed before the first of them was made:
1 KLDivLoss is negative: probabilities given where it wants log-probabilities;
2 VAE gives one blurred mean picture: reconstruction averaged over pixels, KL summed, so the KL outweighs it;
3 BCELoss "all elements of input should be between 0 and 1": autoencoder or discriminator without a sigmoid;
4 DCGAN "Using a target size ([64]) that is different to the input size ([64, 1])": discriminator output not squeezed;
5 DQN does not learn, MSE/Huber warns of sizes [B] and [B, 1]: Q-values and targets broadcast to [B, B];
6 autoencoder stays poor, loss stops high: sigmoid output, inputs standardised below 0 and above 1;
7 siamese contrastive loss does not learn: label 1 means "same" in the data and "different" in the formula;
8 GAN stuck at a constant: sigmoid in the discriminator and BCEWithLogitsLoss on top;
9 REINFORCE gets worse: the minus before log-probability times return forgotten;
10 WGAN does not learn: the critic still ends in a sigmoid;
11 triplet loss stays exactly at the margin: embeddings end in a ReLU/sigmoid or all fall on one point (dead ends);
12 siamese/triplet loss becomes NaN: the root of a squared distance at zero;
13 VAE loss is negative: binary cross-entropy on inputs outside 0 to 1 (standardised);
14 distillation: KLDivLoss's default 'mean' warns, divides by the classes too; 'batchmean' meant;
15 siamese "Found dtype Long but expected Float": whole-number pair labels into BCELoss;
16 policy gradient: softmax output given to Categorical(logits=...), so squashed twice;
17 generator ends in tanh while the real pictures lie in 0 to 1 (or 0 to 255);
18 VAE: the second head is taken for the deviation in one place and for the log-variance in the other;
19 distillation: softened targets at temperature T, the student's logits not divided by T (or no T squared);
20 actor-critic: advantage not detached, the policy's loss trains the critic;
21 NT-Xent: a sample's similarity with itself not masked out;
22 generator's loss on detached fakes: "element 0 of tensors does not require grad";
23 DQN gather: "Index tensor must have the same number of dimensions as input tensor": actions [B] not unsqueezed;
24 WGAN-GP: the gradient's norm over the wrong axis (channels only, or the whole batch) or without create_graph.

Thirty look-ups for the first seventeen. 11 was left out (its threads blame the learning rate), so 1 to 10 and 12 to 17
are built. A thread not yet used was found for all but 13, which is recalled (its threads were used before). 5 has the
thread's clipped error as Huber's loss; 7 compares the distance itself; 15's threads are about discriminators, not
siamese networks; 13 computes Keras' cross-entropy from logits, since PyTorch's BCELoss now refuses such targets.
The addresses of right set-ups that are no twins are from memory.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, classes, inputs, mlp
from doctor_exam.round_parts import Part, divergence

TWENTY_TWO_MAKERS = CaseSet()
right, wrong = TWENTY_TWO_MAKERS.right, TWENTY_TWO_MAKERS.wrong


def photos(channels: int = 3, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Smooth little pictures [N, channels, 16, 16] within a range."""
    rough = torch.rand(N, channels, 4, 4)
    return low + (high - low) * F.interpolate(rough, size=16, mode="bilinear", align_corners=True)


def digits() -> Tensor:
    """Mostly black pictures with some white strokes, flat [N, 256], from 0 to 1."""
    return torch.sigmoid(20 * (photos(1) - 0.65)).flatten(1)


def judge(*ends: nn.Module, channels: int = 3) -> Part:
    """A discriminator or critic that looks at real and at generated pictures in turn."""
    layers = [nn.Conv2d(channels, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 16, 4, 2, 1), nn.LeakyReLU(0.2)]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 1), *ends)
    return Part(lambda self, real, fake: (self.net(real), self.net(fake)), net=net)


def real_and_fake(channels: int = 3) -> tuple[Tensor, Tensor]:
    """Real pictures and what a young generator makes, both from -1 to 1."""
    return photos(channels, -1, 1), torch.tanh(0.3 * torch.randn(N, channels, 16, 16))


def taught(states: Tensor, actions: int) -> tuple[Tensor, Tensor]:
    """The actions taken in some states, and their returns: large where the action fits the state."""
    taken = classes(actions)
    return taken, (states[:, :actions].argmax(1) == taken).float() * 2 - 1 + 0.1 * torch.randn(N)


def students(student_log: bool):
    """The divergence of a student's softened answers from its teacher's."""

    def loss(outputs: Tensor, teacher: Tensor) -> Tensor:
        shares = (F.log_softmax if student_log else F.softmax)(outputs / 4, dim=1)
        return F.kl_div(shares, F.softmax(teacher / 4, dim=1), reduction="batchmean") * 4 * 4

    x = inputs()
    return mlp(10), loss, x, 3 * x @ torch.randn(8, 10)


wrong(
    "student: shares without their logarithm",
    "kl_div_on_probabilities",
    "AberHu/Knowledge-Distillation-Zoo#12",
)(lambda: students(False))
right("student: log-shares", "AberHu/Knowledge-Distillation-Zoo#12")(lambda: students(True))


def faces(summed: bool):
    """A variational autoencoder of coloured pictures from -1 to 1."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.mean(h := self.encode(x)), self.log_var(h)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        return self.decode(z).view_as(x), mean, log_var

    def loss(outputs: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        made, mean, log_var = outputs
        off = F.mse_loss(made, x, reduction="sum") / len(x) if summed else F.mse_loss(made, x)
        return off + divergence(mean, log_var)

    encode = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.LeakyReLU(), nn.Flatten())
    decode = nn.Sequential(nn.Linear(16, 64), nn.LeakyReLU(), nn.Linear(64, 768), nn.Tanh())
    x = photos(3, -1, 1)
    heads = {"mean": nn.Linear(128, 16), "log_var": nn.Linear(128, 16)}
    return Part(forward, encode=encode, decode=decode, **heads), loss, x, x


wrong(
    "faces: mean error, summed divergence",
    "terms_out_of_balance",
    "AntixK/PyTorch-VAE#56",
)(lambda: faces(False))
right("faces: both summed per picture", "AntixK/PyTorch-VAE#56")(lambda: faces(True))


@wrong(
    "sharper: raw judge into BCELoss",
    "logits_into_bce",
    "Lornatang/ESRGAN-PyTorch#8",
)
def sharper():
    """A relativistic discriminator of sharpened pictures, without a sigmoid, into BCELoss."""

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        (real, fake), (ones, zeros), bce = outputs, targets, nn.BCELoss()
        return (bce(real - fake.mean(), ones) + bce(fake - real.mean(), zeros)) / 2

    return judge(), loss, real_and_fake(), (torch.ones(N, 1), torch.zeros(N, 1))


def disco(squeezed: bool):
    """A discriminator of one of two domains: flat labels, outputs [N, 1]."""

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        real, fake = (part.squeeze(1) if squeezed else part for part in outputs)
        return nn.BCELoss()(real, targets[0]) + nn.BCELoss()(fake, targets[1])

    return judge(nn.Sigmoid()), loss, real_and_fake(), (torch.ones(N), torch.zeros(N))


wrong("disco: labels [N] for outputs [N, 1]", "shapes_differ", "carpedm20/DiscoGAN-pytorch#16")(lambda: disco(False))
right("disco: outputs squeezed", "carpedm20/DiscoGAN-pytorch#16")(lambda: disco(True))


@wrong(
    "dqn: best next values not unsqueezed",
    "shapes_broadcast",
    "hungtuchen/pytorch-dqn#3",
)
def dqn():
    """Deep Q-learning: values of the taken actions [N, 1], rewards and best next values [N]."""

    def loss(values: Tensor, targets: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        actions, rewards, next_best, done = targets
        now = values.gather(1, actions.unsqueeze(1))
        return F.smooth_l1_loss(now, rewards + 0.99 * next_best * (1 - done))

    actions, rewards = taught(x := inputs(), 4)
    return mlp(4), loss, x, (actions, rewards, mlp(4)(inputs()).max(1)[0].detach(), (torch.rand(N) < 0.1).float())


def strokes(rectified: bool):
    """A convolutional autoencoder of pictures with mean 0 and deviation 1; layers rectify unless told not to."""
    ends = [nn.ReLU()] if rectified else []
    encode = [nn.Conv2d(1, 8, 5, padding=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 40), nn.ReLU()]
    decode = [nn.Linear(40, 512), nn.ReLU(), nn.Unflatten(1, (8, 8, 8)), nn.Upsample(scale_factor=2)]
    x = digits().view(N, 1, 16, 16)
    x = (x - x.mean()) / x.std()
    model = nn.Sequential(*encode, *decode, nn.Conv2d(8, 1, 5, padding=2), *ends, nn.Flatten())
    return model, nn.MSELoss(), x, x.flatten(1)


wrong(
    "strokes: rectified output, standardised pictures",
    "range_cannot_reach_targets",
    "mikesj-public/convolutional_autoencoder#9",
)(lambda: strokes(True))
right("strokes: linear output", "mikesj-public/convolutional_autoencoder#9")(lambda: strokes(False))


def twins(one_is_same: bool):
    """Pairs of samples with a label, and the contrastive loss of the paper (1 means different)."""

    def loss(outputs: tuple[Tensor, Tensor], label: Tensor) -> Tensor:
        apart = F.pairwise_distance(*outputs)
        return ((1 - label) * apart**2 + label * F.relu(1 - apart) ** 2).mean()

    same = (torch.arange(N) % 2 == 0).float()
    first, other = inputs(), inputs()
    second = torch.where(same[:, None] > 0, first + 0.1 * other, other)
    model = Part(lambda self, a, b: (self.net(a), self.net(b)), net=mlp(4))
    return model, loss, (first, second), same if one_is_same else 1 - same


wrong(
    "twins: label 1 for the same",
    "better_outputs_cost_more",
    "keras-team/keras#16935",
)(lambda: twins(True))
right("twins: label 1 for different", "keras-team/keras#16935")(lambda: twins(False))


@wrong("minimax: sigmoid and logits loss", "sigmoid_before_bce_logits|activation_twice", "torchgan/torchgan#116")
def minimax():
    """A discriminator with a sigmoid at its end and the minimax loss on logits."""

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        pairs = zip(outputs, targets, strict=True)
        return sum(F.binary_cross_entropy_with_logits(part, label) for part, label in pairs)

    return judge(nn.Sigmoid()), loss, real_and_fake(), (torch.full((N, 1), 1.0), torch.full((N, 1), 0.0))


def actors(sign: int):
    """An actor and critic: policy's loss with an entropy bonus, value's loss, the advantage detached."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return self.policy(h), self.value(h).squeeze(1)

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        (scores, values), (actions, returns) = outputs, targets
        log_probs, advantage = F.log_softmax(scores, dim=1), (returns - values).detach()
        entropies = -(log_probs * log_probs.exp()).sum(1)
        chosen = log_probs.gather(1, actions[:, None]).squeeze(1)
        policy_loss = (sign * (chosen * advantage + 0.01 * entropies)).mean()
        return policy_loss + 0.5 * 0.5 * (returns - values).pow(2).mean()

    body = nn.Sequential(nn.Linear(8, 32), nn.Tanh())
    x = inputs()
    return Part(forward, body=body, policy=nn.Linear(32, 4), value=nn.Linear(32, 1)), loss, x, taught(x, 4)


wrong(
    "actors: as in the paper, plus",
    "better_outputs_cost_more",
    "ikostrikov/pytorch-a3c#30",
)(lambda: actors(1))
right("actors: minus for a minimiser", "ikostrikov/pytorch-a3c#30")(lambda: actors(-1))


def earth(*ends: nn.Module):
    """A Wasserstein critic with a gradient penalty between real and generated pictures."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        share = torch.rand(len(real), 1, 1, 1)
        mixed = (share * real + (1 - share) * fake).requires_grad_(True)
        with torch.enable_grad():
            slope = torch.autograd.grad(self.net(mixed).sum(), mixed, create_graph=True)[0]
        return self.net(real), self.net(fake), slope.flatten(1).norm(2, dim=1)

    def loss(outputs: tuple[Tensor, Tensor, Tensor], _: Tensor) -> Tensor:
        real, fake, slope = outputs
        return fake.mean() - real.mean() + 10 * ((slope - 1) ** 2).mean()

    return Part(forward, net=judge(*ends).net), loss, real_and_fake(), torch.zeros(N)


wrong(
    "earth: critic with a sigmoid",
    "bounded_critic",
    "timsainb/tensorflow2-generative-models#16",
)(lambda: earth(nn.Sigmoid()))
right("earth: critic without an end", "timsainb/tensorflow2-generative-models#16")(lambda: earth())


@wrong(
    "pairs: root of nothing",
    "gradient_not_finite",
    "adambielski/siamese-triplet#18",
)
def pairs():
    """The contrastive loss (1 means the same) with the root of squared distances; one pair is one sample twice."""

    def loss(outputs: tuple[Tensor, Tensor], label: Tensor) -> Tensor:
        squares = (outputs[1] - outputs[0]).pow(2).sum(1)
        return (0.5 * (label * squares + (1 - label) * F.relu(1 - squares.sqrt()).pow(2))).mean()

    same = (torch.arange(N) % 2 == 0).float()
    first, other = inputs(), inputs()
    second = torch.where(same[:, None] > 0, first + 0.1 * other, other)
    second[4] = first[4]
    return Part(lambda self, a, b: (self.net(a), self.net(b)), net=mlp(4)), loss, (first, second), same


@wrong("negative: standardised data", "targets_outside_unit_range", "recalled")
def negative():
    """A variational autoencoder of standardised measurements with Keras' cross-entropy, computed from logits."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (0.5 * log_var).exp()), mean, log_var

    def loss(outputs: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        made, mean, log_var = outputs
        apart = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return F.binary_cross_entropy_with_logits(made, x, reduction="sum") + apart

    x = inputs(3) @ torch.randn(3, 20) + 0.2 * inputs(20)
    x = (x - x.mean(0)) / x.std(0)
    encode = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 6))
    decode = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 20))
    return Part(forward, encode=encode, decode=decode), loss, x, x


@wrong(
    "teacherless: default mean",
    "kl_div_mean",
    "yuanli2333/Teacher-free-Knowledge-Distillation#5",
)
def teacherless():
    """Nine tenths distillation at temperature 20, one tenth labels; the divergence with its default mean."""

    def loss(outputs: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        labels, teacher = targets
        soft = nn.KLDivLoss()(F.log_softmax(outputs / 20, dim=1), F.softmax(teacher / 20, dim=1)) * 20 * 20
        return 0.1 * F.cross_entropy(outputs, labels) + 0.9 * soft

    x = inputs()
    teacher = 3 * x @ torch.randn(8, 100)
    return mlp(100), loss, x, (teacher.argmax(1), teacher)


@wrong("dcgan: whole-number labels", "integer_targets|target_dtype", "pytorch/pytorch#45373")
def dcgan():
    """The example's discriminator with labels made by torch.full of whole numbers."""

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        pairs = zip(outputs, targets, strict=True)
        return sum(nn.BCELoss()(part.view(-1), label) for part, label in pairs)

    return judge(nn.Sigmoid()), loss, real_and_fake(), (torch.full((N,), 1), torch.full((N,), 0))


def policy(as_logits: bool):
    """A policy that ends in a softmax, and the loss of REINFORCE."""

    def loss(probs: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        actions, returns = targets
        drawn = Categorical(logits=probs) if as_logits else Categorical(probs)
        return (-drawn.log_prob(actions) * (returns - returns.mean()) / (returns.std() + 1e-8)).sum()

    x = inputs(4)
    return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3), nn.Softmax(dim=-1)), loss, x, taught(x, 3)


wrong(
    "policy: shares as logits",
    "activation_twice|softmax_before_cross_entropy|bounded_logits",
    "ekapolc/RL_course_2019#6",
)(lambda: policy(True))
right("policy: shares as shares", "ekapolc/RL_course_2019#6")(lambda: policy(False))


@wrong(
    "lips: tanh for pictures from 0 to 1",
    "range_wider_than_targets",
    "primepake/wav2lip_288x288#130",
)
def lips():
    """A generator of mouths from masked faces: tanh at its end, the absolute error to pictures from 0 to 1."""
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    x = photos()
    masked = x.clone()
    masked[:, :, 8:] = 0
    return nn.Sequential(*layers, nn.Conv2d(16, 3, 1), nn.Tanh()), nn.L1Loss(), masked, x


@right("denoise: noisy digits to clean ones", "blog.keras.io/building-autoencoders-in-keras.html")
def denoise():
    """A denoising autoencoder: sigmoid end, binary cross-entropy against the clean pictures."""
    clean = digits()
    noisy = (clean + 0.5 * torch.randn_like(clean)).clamp(0, 1)
    layers = [nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 256), nn.Sigmoid()]
    return nn.Sequential(*layers), nn.BCELoss(), noisy, clean


@right("lsgan: squared error of raw scores", "github.com/eriklindernoren/PyTorch-GAN")
def lsgan():
    """A least-squares discriminator: raw scores towards one and zero."""

    def loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        return 0.5 * (F.mse_loss(outputs[0], targets[0]) + F.mse_loss(outputs[1], targets[1]))

    return judge(), loss, real_and_fake(), (torch.ones(N, 1), torch.zeros(N, 1))


@right("cartpole: deep Q-learning", "docs.pytorch.org/tutorials/intermediate/reinforcement_q_learning.html")
def cartpole():
    """Deep Q-learning as in the tutorial: gathered values against unsqueezed targets, Huber's loss."""

    def loss(values: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        actions, expected = targets
        return nn.SmoothL1Loss()(values.gather(1, actions), expected.unsqueeze(1))

    actions, rewards = taught(x := inputs(4), 2)
    frozen = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    with torch.no_grad():
        best = frozen(inputs(4)).max(1).values * (torch.rand(N) > 0.1)
    model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    return model, loss, x, (actions[:, None], rewards + 0.99 * best)


@right("simclr: two views, itself left out", "recalled")
def simclr():
    """The contrastive loss of two views: unit vectors, the diagonal left out, temperature 0.5."""

    def forward(self: Part, first: Tensor, second: Tensor) -> Tensor:
        return F.normalize(self.net(torch.cat([first, second])), dim=1)

    def loss(features: Tensor, _: Tensor) -> Tensor:
        likeness = features @ features.T / 0.5
        likeness = likeness.masked_fill(torch.eye(2 * N, dtype=torch.bool), float("-inf"))
        return F.cross_entropy(likeness, torch.arange(2 * N).roll(N))

    x = inputs()
    return Part(forward, net=mlp(16)), loss, (x + 0.1 * inputs(), x + 0.1 * inputs()), torch.zeros(N)


@right("triplets: anchor, positive, negative", "docs.pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html")
def triplets():
    """One network for three inputs and PyTorch's triplet loss."""
    x = inputs()
    model = Part(lambda self, *three: tuple(self.net(part) for part in three), net=mlp(8))
    return model, lambda outputs, _: nn.TripletMarginLoss(margin=1.0)(*outputs), (x, x + 0.3 * inputs(), inputs()), x


@right("distil: soft and hard targets", "docs.pytorch.org/tutorials/beginner/knowledge_distillation_tutorial.html")
def distil():
    """A quarter soft targets at temperature 2, written as a sum of logarithms, three quarters labels."""

    def loss(outputs: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        labels, teacher = targets
        soft, log_soft = F.softmax(teacher / 2, dim=-1), F.log_softmax(outputs / 2, dim=-1)
        apart = torch.sum(soft * (soft.log() - log_soft)) / log_soft.size(0) * 2**2
        return 0.25 * apart + 0.75 * F.cross_entropy(outputs, labels)

    x = inputs()
    teacher = x @ torch.randn(8, 10)
    return mlp(10), loss, x, (teacher.argmax(1), teacher)


@right("codebook: a quantised autoencoder", "github.com/zalandoresearch/pytorch-vq-vae")
def codebook():
    """Nearest code vectors, gradients handed straight through, code and commitment losses (unusual but right)."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encode(x)
        code = self.codes(torch.cdist(z, self.codes.weight).argmin(1))
        extra = F.mse_loss(code, z.detach()) + 0.25 * F.mse_loss(z, code.detach())
        return self.decode(z + (code - z).detach()), extra

    def loss(outputs: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        return F.mse_loss(outputs[0], x) + outputs[1]

    x = photos(1, -0.5, 0.5).flatten(1)
    codes = nn.Embedding(32, 8)
    codes.weight.data.uniform_(-1 / 32, 1 / 32)
    encode = nn.Sequential(nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 8))
    return Part(forward, encode=encode, codes=codes, decode=nn.Linear(8, 256)), loss, x, x


@right("no negatives: likeness to a still twin", "github.com/lucidrains/byol-pytorch")
def no_negatives():
    """Two views without negatives: a predictor towards the other view's detached projection (unusual but right)."""

    def forward(self: Part, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        a, b = self.project(first), self.project(second)
        return self.predict(a), self.predict(b), a.detach(), b.detach()

    def loss(outputs: tuple[Tensor, ...], _: Tensor) -> Tensor:
        p, q, a, b = outputs
        return (4 - 2 * F.cosine_similarity(p, b, dim=1) - 2 * F.cosine_similarity(q, a, dim=1)).mean()

    x = inputs()
    project = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
    predict = nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 16))
    views = (x + 0.1 * inputs(), x + 0.1 * inputs())
    return Part(forward, project=project, predict=predict), loss, views, torch.zeros(N)
