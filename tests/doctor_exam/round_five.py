"""Set-ups of a fifth round, drawn as the fourth was and from other threads, to be scored once."""

import torch
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import SIGMOID, SOFTMAX, pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part, critic, divergence, flow, still, views
from doctor_exam.unseen_wrong import images, mask_head

ROUND_FIVE = CaseSet()
right, wrong = ROUND_FIVE.right, ROUND_FIVE.wrong
OVER_ONE = "softmax_over_one_output|softmax_over_one"
NOT_FINITE = "gradient_not_finite|loss_not_finite"


# ---------------------------------------------------------------- wrong


wrong("a protein's picture classifier returns a softmax", SOFTMAX, "Graylab/DL4Proteins-notebooks#13")(
    lambda: (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5), nn.Softmax(dim=1)),
             nn.CrossEntropyLoss(), inputs(3, 6, 6), classes(5))
)  # fmt: skip
wrong("facts smoothed to (1 - e) y + 1 / C", "wrong_formula|targets_outside_unit_range", "TimDettmers/ConvE#55")(
    lambda: (mlp(8), lambda z, y: F.binary_cross_entropy_with_logits(z, 0.9 * y + 1.0 / y.size(1)), inputs(),
             labels(8))
)  # fmt: skip
wrong("a divergence that halves only its last term", "wrong_formula", "SupaeroDataScience/deep-learning#6")(
    lambda: (pair(again=8, mean=3, log_std=3), lambda o, x: ((o[0] - x) ** 2).sum(1).mean()
             + (o[1] ** 2 + (2 * o[2]).exp() - o[2] - 0.5).sum(1).mean(), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("weights of samples used in the loss and again in its mean", "wrong_formula|weighted_twice",
      "open-mmlab/mmdetection#845")(
    lambda: (mlp(4), lambda z, y: (y[1] * F.binary_cross_entropy_with_logits(z, y[0], y[1], reduction="none")).sum()
             / y[1].sum(), inputs(), (labels(4), 0.2 + 3 * torch.rand(N, 1).expand(N, 4)))
)  # fmt: skip
wrong("a Cox likelihood of one patient at a time", "loss_is_constant|zero_gradient", "Novartis/torchsurv#35")(
    lambda: (Then(mlp(1), lambda h: h[:, 0]), lambda h, y: -((h - h.flip(0).logcumsumexp(0).flip(0)) * y).sum(),
             torch.randn(1, 8), torch.ones(1))
)  # fmt: skip
wrong("a clipped policy: the minus went inside the minimum", "wrong_formula", "jvmncs/safe-grid-agents#28")(
    lambda: (mlp(3), lambda z, y: (lambda r: torch.min(-r * y[1], -r.clamp(0.8, 1.2) * y[1]).mean())(
        (z.log_softmax(1).gather(1, y[0][:, None])[:, 0] - y[2]).exp()), inputs(),
             (classes(3), torch.randn(N), torch.full((N,), -1.1)))
)  # fmt: skip
wrong("values of actions picked by q[:, a]", "shapes_broadcast|samples_mixed|wrong_formula", "sherjilozair/dqn#4")(
    lambda: (mlp(3), lambda q, y: ((q[:, y[0]] - y[1]) ** 2).mean(), inputs(), (classes(3), torch.randn(N)))
)
wrong("depth and colour errors where visible, averaged over all pixels", "mean_over_padding",
      "google-research/google-research#386")(
    lambda: (Heads(depth=mask_head(), colour=mask_head(channels=3)),
             lambda o, y: ((o["depth"] - y[0]).abs() * y[2]).mean() + ((o["colour"] - y[1]).abs() * y[2]).mean(),
             inputs(3, 6, 6), (torch.rand(N, 1, 6, 6), images(), labels(1, 6, 6)))
)  # fmt: skip
wrong("a learner whose labels come as [N]", "shapes_broadcast|shapes_differ", "fastai/fastai#1863")(
    lambda: (mlp(1), nn.MSELoss(), inputs(), torch.randn(N))
)
wrong("letters [T, N, C]: a log-softmax that is told no axis", "softmax_wrong_axis", "bentrevett/pytorch-seq2seq#177")(
    lambda: (Then(nn.Linear(8, 11), lambda z: z.transpose(0, 1)), lambda z, y: F.ctc_loss(
        F.log_softmax(z), y, torch.full((N,), 12), torch.full((N,), 4), blank=10, zero_infinity=True),
             torch.randn(N, 12, 8), classes(10, 4))
)  # fmt: skip
wrong("attributes of artworks: a sigmoid in the network", SIGMOID, "lopuhin/kaggle-imet-2019#3")(
    lambda: (nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 7), nn.Sigmoid()),
             nn.BCEWithLogitsLoss(reduction="sum"), inputs(3, 6, 6), labels(7))
)  # fmt: skip
wrong("change detection: the generator's judgement is detached", "dead_term", "wangle53/CSA-CDGAN#5")(
    lambda: (Part(lambda self, x: (z := self.net(x), self.judge(z.sigmoid())), net=mask_head(),
                  judge=nn.Sequential(nn.Flatten(), nn.Linear(36, 1)).requires_grad_(False)),
             lambda o, y: 50 * F.binary_cross_entropy_with_logits(o[0], y) + F.binary_cross_entropy_with_logits(
                 o[1].detach(), torch.ones(N, 1)), inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("cosine proximity without its minus", "wrong_formula|better_outputs_cost_more", "tensorflow/tensorflow#32186")(
    lambda: (mlp(6), lambda out, y: F.cosine_similarity(out, y).mean(), inputs(), torch.randn(N, 6))
)
wrong("a decoder with its loss inside, labels as copied from the inputs", "labels_not_shifted|targets_are_inputs",
      "huggingface/transformers#27517")(
    lambda: (Part(lambda self, input_ids, labels: {"loss": F.cross_entropy(
        (z := self.net(input_ids)).view(-1, 50), labels.view(-1)), "logits": z}, net=Tagger(50)),
             lambda o, _: o["loss"], {"input_ids": (t := classes(50, 9)), "labels": t.clone()}, None)
)  # fmt: skip
wrong("documents for a query: a softmax of likenesses, then cross-entropy", SOFTMAX,
      "nishnik/Deep-Semantic-Similarity-Model-PyTorch#2")(
    lambda: (Then(mlp(6, nn.Tanh()), lambda z: (5 * F.cosine_similarity(z[:, :1], z[:, 1:], dim=-1)).softmax(1)),
             nn.CrossEntropyLoss(), torch.randn(N, 6, 8), torch.zeros(N, dtype=torch.long))
)  # fmt: skip
wrong("attention over steps [N, 1, L], its softmax over axis 1", OVER_ONE, "catalyst-team/catalyst#285")(
    lambda: (Part(lambda self, x: self.out((x.transpose(1, 2) * self.attend(x.transpose(1, 2)).softmax(1)).sum(2)),
                  attend=nn.Conv1d(8, 1, 1), out=nn.Linear(8, 2)), nn.MSELoss(), torch.randn(N, 6, 8),
             torch.randn(N, 2))
)  # fmt: skip
wrong("a decoupling loss collected as numbers", "dead_term", "thuml/predrnn-pytorch#11")(
    lambda: (pair(frame=8, cell=6, memory=6), lambda o, y: F.mse_loss(o[0], y) + 0.1 * torch.tensor(
        [F.cosine_similarity(c, m, dim=0).abs().item() for c, m in zip(o[1], o[2], strict=True)]).mean(),
             inputs(), torch.randn(N, 8))
)  # fmt: skip
wrong("colour constancy: the power 0.5 of equal means", NOT_FINITE, "Li-Chongyi/Zero-DCE_extension#2")(
    lambda: (still(mask_head(nn.Sigmoid(), channels=3)), lambda o, _: (lambda m: ((m - 0.6) ** 2).mean() + torch.pow(
        (m[:, 0] - m[:, 1]) ** 4 + (m[:, 0] - m[:, 2]) ** 4 + (m[:, 1] - m[:, 2]) ** 4, 0.5).mean())(o.mean((2, 3))),
             images(), None)
)  # fmt: skip
wrong("attention [N, heads, queries, keys]: a softmax over the queries", "softmax_wrong_axis", "FudanNLP/fastNLP#254")(
    lambda: (Part(lambda self, x: (lambda h: self.out(((h @ self.key(h).transpose(2, 3) / 2).softmax(2) @ h).transpose(
        1, 2).flatten(2))[:, 0])(x.view(N, 5, 2, 4).transpose(1, 2)), key=nn.Linear(4, 4), out=nn.Linear(8, 3)),
             nn.CrossEntropyLoss(), torch.randn(N, 5, 8), classes(3))
)  # fmt: skip
wrong("a Poisson rate where its logarithm is expected", "wrong_formula|range_cannot_reach_targets|rate_for_logarithm",
      "pytorch/pytorch#115904")(
    lambda: (mlp(1, nn.Softplus()), nn.PoissonNLLLoss(), inputs(), torch.poisson(torch.full((N, 1), 0.4)))
)  # fmt: skip
wrong("frames [N, T, D] seen as [T, N, D] for an LSTM", "axes_scrambled|samples_mixed",
      "HHTseng/video-classification#42")(
    lambda: (Part(lambda self, x: self.out(self.rnn(x.view(x.size(1), x.size(0), 8))[0][-1]), rnn=nn.LSTM(8, 16),
                  out=nn.Linear(16, 3)), nn.CrossEntropyLoss(), torch.randn(N, 6, 8), classes(3))
)  # fmt: skip
wrong("queries [N, L, H, D] seen as [N, H, L, D]", "axes_scrambled", "zhouhaoyi/Informer2020#59")(
    lambda: (Part(lambda self, x: self.out((lambda q, k, v: (q @ k.transpose(2, 3) / 2).softmax(-1) @ v)(
        *(t.reshape(N, 2, 5, 4) for t in self.project(x).chunk(3, -1))).transpose(1, 2).flatten(2)),
                  project=nn.Linear(8, 24), out=nn.Linear(8, 1)), nn.MSELoss(), torch.randn(N, 5, 8),
             torch.randn(N, 5, 1))
)  # fmt: skip
wrong("texts of sentences: a softmax into NLLLoss", "nll_on_probabilities",
      "pandeykartikey/Hierarchical-Attention-Network#3")(
    lambda: (Then(mlp(5), lambda z: F.softmax(z.mean(1), dim=1)), nn.NLLLoss(), torch.randn(N, 4, 8), classes(5))
)  # fmt: skip
wrong("kl_div of two distributions", "kl_div_on_probabilities", "pytorch/pytorch#43348")(
    lambda: (Then(mlp(4), lambda z: z.softmax(-1)), lambda p, y: F.kl_div(p, y, reduction="sum"), inputs(),
             torch.randn(N, 4).softmax(1))
)  # fmt: skip
wrong("kernels' weights [K, N, C]: a softmax over the samples", "softmax_wrong_axis|samples_mixed",
      "xmu-xiaoma666/External-Attention-pytorch#18")(
    lambda: (Part(lambda self, x: self.out((torch.stack([c(x) for c in self.convs]) * torch.stack(
        [g(x) for g in self.gates]).softmax(dim=1)).sum(0)), convs=nn.ModuleList(nn.Linear(8, 6) for _ in range(3)),
                  gates=nn.ModuleList(nn.Linear(8, 6) for _ in range(3)), out=nn.Linear(6, 4)),
             nn.CrossEntropyLoss(), inputs(), classes(4))
)  # fmt: skip
wrong("a flow whose log-determinant has the other sign", "wrong_formula", "VincentStimper/normalizing-flows#28")(
    lambda: (flow(), lambda o, _: -(Normal(0.0, 1.0).log_prob(o[0]).sum(1) - o[1]).mean(), inputs(), None)
)
wrong("a gradient penalty made without a graph", "dead_term", "ooples/AiDotNet#1844")(
    lambda: (critic(create_graph=False), lambda o, y: (o[0] * y).mean() + 10 * (
        (o[1].flatten(1).norm(2, dim=1) - 1) ** 2).mean(), inputs(3, 6, 6), 2 * labels(1) - 1)
)  # fmt: skip
wrong("a code's logarithm of the variance behind a softplus", "wrong_formula|range_cannot_reach_targets",
      "RasmussenLab/vamb#182")(
    lambda: (Part(lambda self, x: (lambda m, s: (self.decode(m + torch.randn_like(m) * (s / 2).exp()), m, s))(
        self.mean(x), F.softplus(self.spread(x))), mean=nn.Linear(8, 3), spread=nn.Linear(8, 3),
                  decode=nn.Linear(3, 8)),
             lambda o, x: ((o[0] - x) ** 2).sum(1).mean() + divergence(o[1], o[2]), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("an own cross-entropy whose scores and labels changed places", "arguments_swapped|wrong_formula",
      "isaaccorley/detcon-pytorch#1")(
    lambda: (mlp(5), lambda z, y: -(z * F.log_softmax(y, dim=-1)).sum(-1).mean(), inputs(),
             F.one_hot(classes(5), 5).float())
)  # fmt: skip
wrong("a deviation handed on as its logarithm", "wrong_formula", "sutaoyu/IBMEA#2")(
    lambda: (pair(again=8, mean=3, log_var=3), lambda o, x: ((o[0] - x) ** 2).sum(1).mean() + 0.1 * divergence(
        o[1], 2 * (0.5 * o[2]).exp()), *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("a scene whose background, class 0, is ignored", "ignored_class", "meetps/pytorch-semseg#67")(
    lambda: (mask_head(nn.LogSoftmax(1), channels=4), lambda p, y: F.nll_loss(p, y, ignore_index=0), inputs(3, 6, 6),
             torch.where(torch.rand(N, 6, 6) < 0.5, 0, classes(4, 6, 6)))
)  # fmt: skip
wrong("spelling correction: every padded place is learned too", "padding_not_ignored", "hiyoung123/SoftMaskedBert#20")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.transpose(1, 2), y),
             *(lambda t: (torch.where((torch.rand(N, 12) < 0.2) & (t > 0), classes(47, 12) + 1, t), t))(
                 padded_tokens(0)[0]))
)  # fmt: skip


# ---------------------------------------------------------------- right


right("a style against several: the likeness that counts is the first", "HalbertCH/IEContraAST#4")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, _: F.cross_entropy(
        (z[:, :1] * z[:, 1:]).sum(-1) / 0.2, torch.zeros(N, dtype=torch.long)), torch.randn(N, 6, 8), None)
)  # fmt: skip
right("a mixture's likelihood through logsumexp",
      "axelbrando/Mixture-Density-Networks-for-distribution-and-uncertainty-estimation#8")(
    lambda: (pair(share=3, mean=6, log_std=6), lambda o, y: -torch.logsumexp(o[0].softmax(1).log() + Normal(
        o[1].view(N, 3, 2), o[2].view(N, 3, 2).exp()).log_prob(y[:, None]).sum(2), 1).mean(), inputs(),
             torch.randn(N, 2))
)  # fmt: skip
right("a focal factor times the log-softmax, then NLLLoss", "cfzd/Ultra-Fast-Lane-Detection#126")(
    lambda: (mask_head(channels=5), lambda z, y: F.nll_loss((1 - z.softmax(1)) ** 2 * z.log_softmax(1), y,
                                                            ignore_index=255), inputs(3, 6, 6), classes(5, 6, 6))
)  # fmt: skip
right("only the active tokens of a tagger", "huggingface/transformers#251")(
    lambda: (Tagger(6), lambda z, y: (lambda active: F.cross_entropy(z.view(-1, 6)[active], y[0].view(-1)[active]))(
        y[1].view(-1) == 1), (t := padded_tokens(0)[0]), (classes(6, 12), (t > 0).long()))
)  # fmt: skip
right("a policy's losses per sample and one number for its values", "nikhilbarhate99/PPO-PyTorch#72")(
    lambda: (pair(policy=3, value=1), lambda o, y: (lambda p, ratio: (
        -torch.min(ratio * y[2], ratio.clamp(0.8, 1.2) * y[2]) + 0.5 * F.mse_loss(o[1].squeeze(1), y[3])
        - 0.01 * p.entropy()).mean())((p := torch.distributions.Categorical(logits=o[0])), (
            p.log_prob(y[0]) - y[1]).exp()), inputs(),
             (classes(3), torch.full((N,), -1.1), torch.randn(N), torch.randn(N)))
)  # fmt: skip
right("the greater of a value's loss and of its clipped value's", "huggingface/trl#202")(
    lambda: (Then(mlp(1), lambda v: v[:, 0]), lambda v, y: 0.5 * torch.max((v - y[1]) ** 2, (torch.max(torch.min(
        v, y[0] + 0.2), y[0] - 0.2) - y[1]) ** 2).mean(), inputs(), (v := 0.1 * torch.randn(N), v + torch.randn(N)))
)  # fmt: skip
right("a box's place through a sigmoid, its size free", "eriklindernoren/PyTorch-YOLOv3#83")(
    lambda: (Then(mlp(4), lambda z: torch.cat([z[:, :2].sigmoid(), z[:, 2:]], 1)), nn.MSELoss(), inputs(),
             torch.cat([torch.rand(N, 2), torch.randn(N, 2)], 1))
)  # fmt: skip
right("objectness from log-sigmoids of both signs", "dbolya/yolact#347")(
    lambda: (mlp(5), lambda z, y: (lambda log_p: -((1 - log_p.exp()) ** 2 * log_p).mean())(
        F.logsigmoid(z[:, 0]) * (1 - y[0]) + F.logsigmoid(-z[:, 0]) * y[0]) + F.cross_entropy(z[:, 1:], y[1]), inputs(),
             (labels(1)[:, 0], classes(4)))
)  # fmt: skip
right("two tasks, and minus the cosine of their features", "yingrliu/TAAN-MTL#2")(
    lambda: (Heads(one=mlp(4), two=mlp(4)), lambda o, y: F.cross_entropy(o["one"], y[0]) + F.cross_entropy(
        o["two"], y[1]) - 0.1 * F.cosine_similarity(o["one"], o["two"]).mean(), inputs(), (classes(4), classes(4)))
)  # fmt: skip
right("two views: minus the diagonal of a log-softmax", "Coder-Yu/SELFRec#49")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, _: -(z[:, 0] @ z[:, 1].T / 0.2).log_softmax(1)
             .diag().mean(), views(), None)
)  # fmt: skip
right("two views: likenesses times a learnt temperature", "torchgeo/torchgeo#1208")(
    lambda: (Part(lambda self, x: (z := F.normalize(self.net(x), dim=-1))[:, 0] @ z[:, 1].T * self.scale.weight.exp(),
                  net=mlp(6), scale=nn.Linear(1, 1, bias=False)),
             lambda s, _: F.cross_entropy(s, torch.arange(N)), views(), None)
)  # fmt: skip
right("pictures of -1 to 1 from a layer without activation", "taesungp/swapping-autoencoder-pytorch#22")(
    lambda: (nn.Sequential(mask_head(nn.LeakyReLU(0.2), channels=8), nn.Conv2d(8, 3, 1)), nn.L1Loss(),
             *(lambda x: (x, x))(images(-1.0, 1.0)))
)  # fmt: skip
right("masks kept sparse: the entropy's minus stands at the weight", "dreamquark-ai/tabnet#311")(
    lambda: (Part(lambda self, x: (lambda m: (self.out(x * m), (m * (m + 1e-15).log()).sum(1).mean()))(
        self.mask(x).softmax(-1)), mask=nn.Linear(8, 8), out=mlp(3)),
             lambda o, y: F.cross_entropy(o[0], y) - 1e-3 * o[1], inputs(), classes(3))
)  # fmt: skip
right("clusters: the entropy of the mean is taken off", "CVMI-Lab/SimGCD#3")(
    lambda: (mlp(5), lambda z, _: F.cross_entropy(z[:, 0] / 0.1, (z[:, 1].detach() / 0.05).softmax(-1))
             - 2 * (lambda p: -(p * p.log()).sum())((z / 0.1).softmax(-1).mean((0, 1))), views(), None)
)  # fmt: skip
right("actor and critic in one sum, the entropy taken off", "muupan/async-rl#22")(
    lambda: (pair(policy=3, value=1), lambda o, y: sum(
        -o[0][i].log_softmax(0)[y[0][i]] * (y[1][i] - o[1][i, 0]).detach()
        + 0.01 * (o[0][i].softmax(0) * o[0][i].log_softmax(0)).sum() + (o[1][i, 0] - y[1][i]) ** 2 / 2
        for i in range(N)), inputs(), (classes(3), torch.randn(N)))
)  # fmt: skip
right("boxes as distances to four sides: one minus the generalised overlap", "tianzhi0549/FCOS#277")(
    lambda: (Then(mlp(4), torch.exp), lambda o, y: (lambda both, hull, union: (1 - both / union + (hull - union) / hull)
                                                    .mean())(
        (b := (s := torch.min(o, y))[:, :2] + s[:, 2:]).prod(1), ((s := torch.max(o, y))[:, :2] + s[:, 2:]).prod(1),
        (o[:, :2] + o[:, 2:]).prod(1) + (y[:, :2] + y[:, 2:]).prod(1) - b.prod(1)), inputs(), 0.2 + torch.rand(N, 4))
)  # fmt: skip
right("modes: kl_div of log-probabilities and a posterior", "roggirg/AutoBots#8")(
    lambda: (Then(mlp(6), lambda z: z.log_softmax(-1)), nn.KLDivLoss(reduction="batchmean"), inputs(),
             torch.randn(N, 6).softmax(1))
)  # fmt: skip
right("surface normals where they are known, as directions", "lorenmt/mtan#13")(
    lambda: (mask_head(Then(nn.Identity(), lambda z: F.normalize(z, dim=1)), channels=3),
             lambda o, y: 1 - (o * y).sum() / (y.abs().sum(1) > 0).sum(), inputs(3, 6, 6),
             F.normalize(torch.randn(N, 3, 6, 6), dim=1) * labels(1, 6, 6))
)  # fmt: skip
right("a text's policy: the maximum of two negatives, by its length", "lqtrung1998/mwp_ReFT#21")(
    lambda: (Tagger(48), lambda z, y: (lambda r: ((torch.max(-y[2] * r, -y[2] * r.clamp(0.8, 1.2)) * y[1]).sum(-1)
                                                  / y[1].sum(-1)).mean())(
        (z.log_softmax(-1).gather(2, y[0][..., None])[..., 0] + 3.87).exp()), (t := padded_tokens(0)[0])[:, :-1],
             (t[:, 1:], (t[:, 1:] > 0).float(), torch.randn(N, 1).expand(N, 11)))
)  # fmt: skip
right("diffusion that predicts the clean sample", "pfriedri/wdm-3d#4")(
    lambda: (mlp(8), lambda out, x: ((x - out) ** 2).flatten(1).mean(1).mean(0),
             *(lambda x: (0.8 * x + 0.6 * torch.randn(N, 8), x))(inputs()))
)  # fmt: skip
right("a sigmoid and BCELoss", "pytorch/pytorch#24933")(
    lambda: (mlp(6, nn.Sigmoid()), nn.BCELoss(), inputs(), labels(6))
)
right("sampled words: label 0 is the true one, its frequency taken off", "Stonesjtu/Pytorch-NCE#15")(
    lambda: (Tagger(5), lambda z, y: nn.CrossEntropyLoss(reduction="none")((z - y).view(-1, 5), torch.zeros_like(
        z.narrow(2, 0, 1)).squeeze(2).long().view(-1)).view(N, 7).mean(), classes(50, 7), -2 * torch.rand(N, 7, 5))
)  # fmt: skip


def step_by_step(self: Part, x: torch.Tensor) -> torch.Tensor:
    """Feed an LSTM one step at a time; its state has the layers first all the same."""
    state = None
    for t in range(x.size(1)):
        _, state = self.rnn(x[:, [t]], state)
    return self.out(state[0][0])


right("an LSTM fed one step at a time, the batch first", "pytorch/pytorch#34036")(
    lambda: (Part(step_by_step, rnn=nn.LSTM(8, 12, batch_first=True), out=nn.Linear(12, 3)), nn.CrossEntropyLoss(),
             torch.randn(N, 6, 8), classes(3))
)  # fmt: skip
right("ranking against the batch, each item against itself too", "hidasib/GRU4Rec#33")(
    lambda: (Then(pair(session=6, item=6), lambda o: o[0] @ o[1].T), lambda s, _: -F.logsigmoid(
        s.diag()[:, None] - s).mean(), inputs(), None)
)  # fmt: skip
right("a deterministic actor: minus what a fixed critic says", "philtabor/Actor-Critic-Methods-Paper-To-Code#2")(
    lambda: (Part(lambda self, x: self.critic(torch.cat([x, self.actor(x)], 1)), actor=mlp(2, nn.Tanh()),
                  critic=nn.Linear(10, 1).requires_grad_(False)), lambda q, _: -q.mean(), inputs(), None)
)  # fmt: skip
right("masked words alone, the rest filled with what is ignored", "lucidrains/mlm-pytorch#3")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.transpose(1, 2), y, ignore_index=0),
             *(lambda t, m: (t.masked_fill(m, 49), t.masked_fill(~m, 0)))(1 + classes(47, 12), torch.rand(N, 12) < 0.3))
)  # fmt: skip
