"""Right set-ups of the eleventh round: repaired ones, and ordinary ones whose trouble lay elsewhere or was none."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import pair
from doctor_exam.parts import N, classes, inputs, labels, mlp
from doctor_exam.round_eleven_parts import (
    answers,
    attends,
    clipped_policy,
    detector,
    drone,
    extractor,
    gains,
    gestures,
    guessing,
    imagined,
    matching,
    molecules,
    next_word,
    painter,
    proposals,
    retrieval,
    siren,
    sparse_masks,
    summed,
)
from doctor_exam.round_nine import dense
from doctor_exam.round_parts import Part, flow, views
from doctor_exam.round_seven import log_p, reader
from doctor_exam.unseen_wrong import mask_head

ROUND_ELEVEN_RIGHT = CaseSet()
right = ROUND_ELEVEN_RIGHT.right


# ---------------------------------------------------------------- right: repaired


def causal(tokens: Tensor) -> Tensor:
    """A mask that hides what comes later."""
    return torch.ones(tokens.size(1), tokens.size(1)).triu(1).bool()


right("gestures: speeds along time", "Svito-zar/gesticulator#10")(lambda: gestures(axis=1))
right("the sum of two numbers, [N] and [N]", "stackoverflow.com/questions/67248908")(lambda: summed(squeezed=True))
right("sines of coordinates between -1 and 1", "vsitzmann/siren#19")(lambda: siren(scaled=True))
right("boxes: the only class has number one", "pierluigiferrari/ssd_keras#3")(lambda: detector(classes(2, 6)))
right("proposals: good ones are counted as one at least", "JJBOY/BMN-Boundary-Matching-Network#23")(
    lambda: proposals(guarded=True, overlaps=torch.rand(N, 1))
)
right("voices: roots of gains and a little", "jzi040941/PercepNet#37")(lambda: gains(low=1e-3, scale=1))
right("assistants: the tokens behind the mask", "LAION-AI/Open-Assistant#2001")(
    lambda: answers(torch.rand(N, 12) < 0.5)
)
right("molecules: only what was measured", "mlcommons/algorithmic-efficiency#228")(lambda: molecules(known_only=True))
right("five pictures to compare with: the losses are added up", "gitabcworld/MatchingNetworks#2")(
    lambda: matching(slip=False)
)
right("facts from sentences: a constraint beside the tags", "dair-iitd/openie6#25")(lambda: extractor(added=True))
right("PPO with the value's error", "ray-project/ray#15610")(lambda: clipped_policy(with_value=True))
right("pictures found by picture and text: both losses", "Chiangsonw/CaLa#2")(lambda: retrieval(added=True))
right("pictures: the error of a picture beside its divergence", "datascience.stackexchange.com/questions/35741")(
    lambda: painter(whole=True)
)
right("overlaps of pictures of which half are empty, smoothed", "discuss.pytorch.org/t/71359")(
    lambda: sparse_masks(smooth=1)
)
right("drones: a goal that stands still", "singularityfeed.com/deep-reinforcement-learning-the-actor-critic-method")(
    lambda: drone(still_goal=True)
)
right("imagined steps: the next one, unless the game ended", "epignatelli/navix#152")(
    lambda: imagined(ahead=1, ends=True)
)
right("a mask of large negative numbers, added to the scores", "dtcms.com/a/376670")(
    lambda: guessing(attends(lambda tokens: -1e9 * (tokens == 0).float()[:, None]))
)
right("a small GPT with its causal mask", "lynx-cortex.pages.dev/phase-17-mini-gpt")(
    lambda: next_word(reader(mask=causal))
)


# ---------------------------------------------------------------- right: the cause lay elsewhere, or there was none


right("defects: a flow whose loss falls below zero", "marco-rudolph/cs-flow#28")(
    lambda: (flow(), lambda o, _: ((o[0] ** 2).sum(1) / 2 - o[1]).mean() / 8, inputs(), None)
)


@right("sure of each and different for all: entropies with two signs", "mohamedr002/MAPU_SFDA_TS#2")
def _():
    def entropy(p: Tensor) -> Tensor:
        return -(p * (p + 1e-5).log()).sum(-1)

    return mlp(5), lambda z, _: entropy(z.softmax(1)).mean() - entropy(z.softmax(1).mean(0)), inputs(), None


@right("noisy labels: a cross-entropy and a term below zero", "shengliu66/ELR#15")
def _():
    def loss(z: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        shares = z.softmax(1).clamp(1e-4, 1 - 1e-4)
        return F.cross_entropy(z, y[0]) + 3 * (1 - (shares * y[1]).sum(1)).log().mean()

    return mlp(5), loss, inputs(), (classes(5), torch.randn(N, 5).softmax(1))


@right("landmarks: how far off, divided by how unsure", "Jiahao-UTS/DSLPT#3")
def _():
    def loss(o: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        spread = F.softplus(o[1]) + 1e-3
        return ((o[0] - y).abs() / spread + spread.log()).mean()

    return pair(place=4, spread=4), loss, inputs(), torch.rand(N, 4)


@right("a critic's hinges of real and made against each other's means", "akanimax/BMSG-GAN#40")
def _():
    def loss(scores: Tensor, _: None) -> Tensor:
        real, made = scores[:8], scores[8:]
        return (1 - (real - made.mean())).relu().mean() + (1 + (made - real.mean())).relu().mean()

    return mlp(1), loss, inputs(), None


@right("views: the own partner stands first, so all labels are nought", "facebookresearch/moco#130")
def _():
    def loss(z: Tensor, others: Tensor) -> Tensor:
        one, two = F.normalize(z, dim=-1).unbind(1)
        own = (one * two.detach()).sum(1, keepdim=True)
        return F.cross_entropy(torch.cat([own, one @ others.T], 1) / 0.2, torch.zeros(N, dtype=torch.long))

    return mlp(6), loss, views(), F.normalize(torch.randn(32, 6), dim=1)


@right("clouds of points: the noise is predicted", "PRBonn/LiDiff#27")
def _():
    def forward(self: Part, x: Tensor, time: Tensor) -> Tensor:
        return self.net(torch.cat([x, time], 1))

    noise, time = torch.randn(N, 8), torch.rand(N, 1)
    x = (1 - time).sqrt() * inputs() + time.sqrt() * noise
    return Part(forward, net=dense(9, 32, 8)), nn.MSELoss(), (x, time), noise


right("shares to buy: what is earned, with a minus", "happynoom/DeepTrade#6")(
    lambda: (mlp(1, nn.Sigmoid()), lambda p, change: -100 * ((change - 2e-4) * p).mean(), inputs(),
             0.03 * torch.randn(N, 1))
)  # fmt: skip
right("digits by a single layer", "borgwang/tinynn#2")(
    lambda: (nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), nn.CrossEntropyLoss(), torch.rand(N, 1, 8, 8), classes(10))
)
right("games: minus what came back times the log-probability", "ai.stackexchange.com/questions/40705")(
    lambda: (mlp(4), lambda z, y: -(y[1] * log_p(z, y[0])).mean(), inputs(), (classes(4), torch.rand(N)))
)
right("findings: some pictures have none of the labels", "discuss.pytorch.org/t/90572")(
    lambda: (mlp(3), nn.BCEWithLogitsLoss(), inputs(), labels(3) * (torch.rand(N, 1) < 0.7))
)


@right("poles: the goal comes from a copy that is not trained", "DeepRLChinese/DeepRL-Chinese#3")
def _():
    online = mlp(3)
    later = copy.deepcopy(online).requires_grad_(False)

    def forward(self: Part, state: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        return self.online(state), self.later(after)

    def loss(o: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        actions, rewards, over = y
        goal = rewards + 0.99 * o[1].max(1).values * (1 - over)
        return F.smooth_l1_loss(o[0].gather(1, actions[:, None])[:, 0], goal)

    y = (classes(3), torch.randn(N), labels(1)[:, 0])
    return Part(forward, online=online, later=later), loss, (inputs(), inputs()), y


right("sixty patients: four layers, two classes", "discuss.pytorch.org/t/177433")(
    lambda: (dense(7, 60, 100, 30, 2), nn.CrossEntropyLoss(), torch.rand(N, 7), classes(2))
)


@right("the sum of two marked numbers, scaled for a sigmoid", "discuss.pytorch.org/t/21588")
def _():
    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[0][:, -1]).sigmoid()[:, 0]

    numbers, marks = torch.rand(N, 10) * 2 - 1, torch.zeros(N, 10)
    marks[:, [2, 6]] = 1
    part = Part(forward, rnn=nn.LSTM(2, 8, batch_first=True), out=nn.Linear(8, 1))
    return part, nn.MSELoss(), torch.stack([numbers, marks], -1), 0.5 + (numbers * marks).sum(1) / 4


@right("a generator judged by a discriminator that stays as it is", "GANs-in-Action/gans-in-action#7")
def _():
    judge = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.01), nn.Linear(16, 1), nn.Sigmoid()).requires_grad_(False)
    return nn.Sequential(mlp(6, nn.Tanh()), judge), nn.BCELoss(), inputs(), torch.ones(N, 1)


@right("an autoencoder of shares, judged by a cross-entropy", "stats.stackexchange.com/questions/441750")
def _():
    x = torch.rand(N, 20)
    return dense(20, 20, 20, 20, ends=(nn.Sigmoid(),)), nn.BCELoss(), x, x


@right("texts: a body that stays as it is, and a head for fifteen labels", "discuss.huggingface.co/t/24980")
def _():
    body = dense(8, 32, 32).requires_grad_(False)
    return nn.Sequential(body, dense(32, 32, 15, between=nn.Tanh)), nn.BCEWithLogitsLoss(), inputs(), labels(15)


@right("pairs: near where the flag is nought, far where it is one", "jamesmccaffreyblog.com/2022/03/04")
def _():
    def loss(z: Tensor, flag: Tensor) -> Tensor:
        distance = F.pairwise_distance(z[:, 0], z[:, 1])
        return ((1 - flag) * distance**2 + flag * (2 - distance).clamp(min=0) ** 2).mean() / 2

    return mlp(6), loss, views(), labels(1)[:, 0]


@right("accidents: every odd film above every ordinary one", "WaqasSultani/AnomalyDetectionCVPR2018#24")
def _():
    def loss(scores: Tensor, _: None) -> Tensor:
        odd, ordinary = scores.view(2, 8)
        return (1 - odd[:, None] + ordinary).relu().sum(1).mean() + 8e-5 * odd.sum()

    return mlp(1, nn.Sigmoid()), loss, inputs(), None


@right("sentences: a cosine for how alike they are", "huggingface/sentence-transformers#654")
def _():
    def forward(self: Part, pairs: Tensor) -> Tensor:
        return F.cosine_similarity(self.embed(pairs[:, 0]), self.embed(pairs[:, 1]))

    return Part(forward, embed=mlp(6)), nn.MSELoss(), views(), torch.rand(N)


@right("faces: the farthest of the same and the nearest of the others", "taylover-pei/SSDG-CVPR2020#2")
def _():
    def loss(z: Tensor, y: Tensor) -> Tensor:
        distances, same = torch.cdist(z, z), y[:, None] == y
        far = distances.masked_fill(~same, 0).max(1).values
        near = distances.masked_fill(same, 1e6).min(1).values
        return (far - near + 0.3).relu().mean()

    return mlp(6), loss, inputs(), classes(3)


right("a cosine, scaled for a sigmoid", "stackoverflow.com/questions/13453501")(
    lambda: (dense(1, 10, 1, between=nn.Sigmoid, ends=(nn.Sigmoid(),)), nn.MSELoss(),
             *(lambda x: (x, x.cos() / 2 + 0.5))(6.28 * torch.rand(N, 1) - 3.14))
)  # fmt: skip
right("threes and sevens: one minus the share of what is right", "forums.fast.ai 'chxnge'")(
    lambda: (mlp(1, nn.Sigmoid()), lambda p, y: torch.where(y == 1, 1 - p, p).mean(), inputs(), labels(1))
)
right("coils: few pixels of a mask are set", "answerofmath.com/solved-cnn-fails-to-learn-image-segmentation")(
    lambda: (mask_head(), nn.BCEWithLogitsLoss(), inputs(3, 6, 6), (torch.rand(N, 1, 6, 6) < 0.05).float())
)


@right("the next letter: a recurrent layer by hand", "forums.fast.ai 'Dimension Propagation'")
def _():
    def forward(self: Part, letters: Tensor) -> Tensor:
        h = torch.zeros(len(letters), 16)
        for letter in letters.unbind(1):
            h = self.step(h + self.enter(self.embed(letter)).relu()).tanh()
        return self.out(h).log_softmax(-1)

    part = Part(forward, embed=nn.Embedding(50, 8), enter=nn.Linear(8, 16), step=nn.Linear(16, 16),
                out=nn.Linear(16, 50))  # fmt: skip
    return part, nn.NLLLoss(), classes(50, 8), classes(50)
