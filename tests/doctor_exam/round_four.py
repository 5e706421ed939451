"""Set-ups of a fourth round, drawn from public threads by someone who had read none of the doctor's checks."""

import torch
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.fresh_wrong import SIGMOID, SOFTMAX, pair
from doctor_exam.parts import Heads, N, Tagger, Then, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Extra, Part, actor, autoencoder, critic, divergence, flow, still, views
from doctor_exam.unseen_wrong import dice, images, mask_head

ROUND_FOUR = CaseSet()
right, wrong = ROUND_FOUR.right, ROUND_FOUR.wrong
NOT_FINITE = "gradient_not_finite|loss_not_finite"


# ---------------------------------------------------------------- wrong


wrong("a picture classifier whose softmax runs over the batch", "softmax_wrong_axis", "perone/euclidesdb#2")(
    lambda: (mlp(10, nn.Softmax(dim=0)), lambda p, y: F.nll_loss((p + 1e-8).log(), y), inputs(), classes(10))
)
wrong("binary targets smoothed to (y + e) / 2", "wrong_formula", "eladhoffer/utils.pytorch#13")(
    lambda: (mlp(5), lambda z, y: F.binary_cross_entropy_with_logits(z, y.clone().add_(0.1).div_(2)), inputs(),
             labels(5))
)  # fmt: skip
wrong("a relative divergence summed over the batch, then its mean", "wrong_formula", "GlassyWing/nvae#3")(
    lambda: (pair(again=8, log_var=3, d_mean=3, d_log=3), lambda o, x: ((o[0] - x) ** 2).sum(1).mean()
             + torch.mean(-0.5 * torch.sum(1 + o[3] - o[2] ** 2 / o[1].exp() - o[3].exp()), dim=0),
             *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("a quantile loss whose lower branch keeps its sign", "wrong_formula|better_outputs_cost_more",
      "scikit-learn/scikit-learn#6076")(
    lambda: (mlp(1), lambda q, y: (0.9 * (y - q)[y > q].sum() + 0.1 * (y - q)[y <= q].sum()) / len(y), inputs(),
             torch.randn(N, 1))
)  # fmt: skip
wrong("a captcha with more letters than time steps", f"ctc_target_too_long|{NOT_FINITE}", "ypwhs/captcha_break#29")(
    lambda: (Then(nn.Linear(8, 11), lambda z: z.log_softmax(-1)), lambda p, y: F.ctc_loss(
        p.transpose(0, 1), y, torch.full((N,), 5), torch.full((N,), 6)), torch.randn(N, 5, 8), 1 + classes(10, 6))
)  # fmt: skip
wrong("a Cox likelihood that takes the events as positions", "wrong_formula", "Novartis/torchsurv#117")(
    lambda: (Then(mlp(1), lambda h: h[:, 0]), lambda h, y: -(h - h.flip(0).logcumsumexp(0).flip(0))[y].mean(),
             inputs(), classes(2))
)  # fmt: skip
wrong("a mixture density network that averages log-densities", "wrong_formula", "tonyduan/mixture-density-network#1")(
    lambda: (pair(share=3, mean=3, log_std=3), lambda o, y: -(Normal(o[1], o[2].exp()).log_prob(y)
                                                              + o[0].log_softmax(1)).mean(), inputs(),
             torch.randn(N, 1))
)  # fmt: skip
wrong("a sum of two inputs as labels [N]", "shapes_broadcast", "KindXiaoming/pykan#243")(
    lambda: (mlp(1, hidden=nn.SiLU), lambda out, y: torch.mean((out - y) ** 2),
             *(lambda x: (x, x[:, 0] + x[:, 1]))(inputs()))
)  # fmt: skip
wrong("token losses times the mask, then the mean over all", "mean_over_padding", "NovaSky-AI/SkyRL#462")(
    lambda: (Tagger(20), lambda z, y: (F.cross_entropy(z.transpose(1, 2), y[0], reduction="none") * y[1]).mean(),
             (tokens := padded_tokens(0)[0]), (classes(20, 12), (tokens > 0).float()))
)  # fmt: skip
wrong("the overlap of the likeliest class", "loss_without_gradient|outputs_without_gradient",
      "tensorlayer/TensorLayer#891")(
    lambda: (mask_head(channels=2), lambda z, y: dice(z.argmax(1, keepdim=True).float(), y), inputs(3, 6, 6),
             labels(1, 6, 6))
)  # fmt: skip
wrong("edges: a sigmoid in the network, the loss on logits", SIGMOID, "nv-tlabs/GSCNN#62")(
    lambda: (Heads(kind=mask_head(channels=4), edge=mask_head(nn.Sigmoid()), as_tuple=True),
             lambda o, y: F.cross_entropy(o[0], y[0]) + 20 * F.binary_cross_entropy_with_logits(o[1], y[1]),
             inputs(3, 6, 6), (classes(4, 6, 6), labels(1, 6, 6)))
)  # fmt: skip
wrong("swapped predictions [views, N, C]: log-softmax over N", "softmax_wrong_axis", "DonkeyShot21/UNO#4")(
    lambda: (Then(pair(a=5, b=5), torch.stack), lambda z, y: -(y * F.log_softmax(z / 0.1, dim=1)).sum(-1).mean(),
             inputs(), torch.randn(2, N, 5).softmax(-1))
)  # fmt: skip
wrong("an invariance term that adds the cosine similarity", "wrong_formula|better_outputs_cost_more",
      "ai4co/rl4co#283")(
    lambda: (mlp(6), lambda z, y: F.cross_entropy(z.mean(1), y)
             + 0.2 * F.cosine_similarity(z[:, 0], z[:, 1], dim=-1).mean(), views(), classes(6))
)  # fmt: skip
wrong("a language model scored on the token it was just given", "labels_not_shifted|targets_are_inputs",
      "huggingface/transformers#3711")(
    lambda: (Tagger(50), lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten()),
             *(lambda t: (t, t.clone()))(torch.randint(0, 50, (N, 10))))
)  # fmt: skip
wrong("a first language model: softmax, and the loss inside", SOFTMAX, "bkitano/llama-from-scratch#5")(
    lambda: (Part(lambda self, tokens, targets: (p := self.net(tokens).softmax(-1),
                                                 F.cross_entropy(p.view(-1, 50), targets.view(-1))),
                  net=nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 50))),
             lambda o, _: o[1], {"tokens": classes(50, 8), "targets": classes(50, 8)}, None)
)  # fmt: skip
wrong("one dense unit, then a softmax layer", "softmax_over_one_output|softmax_over_one",
      "imdeepmind/NeuralPy#146")(
    lambda: (nn.Sequential(nn.Linear(8, 1), nn.Softmax(dim=-1)), nn.MSELoss(), inputs(), labels(1))
)  # fmt: skip
wrong("a reward times the log-probability's item()", "loss_not_a_tensor|loss_without_gradient", "isayev/ReLeaSE#39")(
    lambda: (Then(Tagger(50), lambda z: z.log_softmax(-1)), lambda p, y: -sum(
        p[0, t, y[0, t]].item() * 0.97**t for t in range(10)), classes(50, 10), classes(50, 10))
)  # fmt: skip
wrong("attention scores [N, L, 1] through a softmax over the last axis", "softmax_over_one_output|softmax_over_one",
      "xhuang31/KEQA_WSDM19#2")(
    lambda: (Then(nn.Linear(8, 5), lambda z: (z[..., :1].softmax(-1) * z[..., 1:]).sum(1)), nn.CrossEntropyLoss(),
             torch.randn(N, 6, 8), classes(4))
)  # fmt: skip
wrong("slots: a decoder's LSTM called step by step takes the batch for time", "samples_mixed",
      "ray075hl/Bi-Model-Intent-And-Slot#2")(
    lambda: (Part(lambda self, x: self.out(torch.cat([self.rnn(step[:, None])[0] for step in x.unbind(1)], 1)),
                  rnn=nn.LSTM(8, 16), out=nn.Linear(16, 5)),
             lambda z, y: F.cross_entropy(z.transpose(1, 2), y), torch.randn(N, 6, 8), classes(5, 6))
)  # fmt: skip
wrong("a memory's compression, detached on both sides", "dead_term|weights_without_gradient",
      "lucidrains/compressive-transformer-pytorch#5")(
    lambda: (Heads(kind=mlp(4), memory=nn.Linear(8, 6), compressed=mlp(6)),
             lambda o, y: F.cross_entropy(o["kind"], y) + F.mse_loss(o["memory"].detach(), o["compressed"].detach()),
             inputs(), classes(4))
)  # fmt: skip
wrong("gradient maps: the root of squares of a plain picture", NOT_FINITE, "photosynthesis-team/piq#308")(
    lambda: (still(mask_head(nn.Sigmoid())), lambda o, y: (
        (o.diff(dim=-1)[..., 1:, :] ** 2 + o.diff(dim=-2)[..., 1:] ** 2).sqrt() - y).abs().mean(), inputs(3, 6, 6),
             torch.rand(N, 1, 5, 5))
)  # fmt: skip
wrong("a hinge written for signs, labels of 0 and 1", "labels_zero_one|labels_not_signs",
      "bfortuner/ml-glossary#113")(
    lambda: (mlp(1), lambda z, y: torch.clamp(1 - z * y, min=0).mean(), inputs(), labels(1))
)  # fmt: skip
wrong("a Poisson rate that can be negative", f"{NOT_FINITE}|logarithm_of_raw_outputs|negative_rate",
      "pytorch/pytorch#184030")(
    lambda: (mlp(1), nn.PoissonNLLLoss(log_input=False), inputs(), torch.poisson(torch.full((N, 1), 2.0)))
)  # fmt: skip
wrong("dead features are taught a residual that follows them", "gradient_into_target", "bartbussmann/BatchTopK#4")(
    lambda: (pair(again=8, dead=8), lambda o, x: F.mse_loss(o[0], x) + F.mse_loss(o[1], x - o[0]) / 32,
             *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("parts are log-probabilities, the label's scores are not", "nll_on_logits|unnormalised_likelihood",
      "yanx27/Pointnet_Pointnet2_pytorch#30")(
    lambda: (Heads(part=nn.Sequential(nn.Linear(8, 6), nn.LogSoftmax(-1)), label=mlp(4), as_tuple=True),
             lambda o, y: F.nll_loss(o[0], y[0]) + F.nll_loss(o[1], y[1]), inputs(), (classes(6), classes(4)))
)  # fmt: skip
wrong("mean probabilities against a power law in kl_div", "kl_div_on_probabilities", "lightly-ai/lightly#1341")(
    lambda: (mlp(6), lambda z, y: F.cross_entropy(z / 0.1, y) + F.kl_div(z.softmax(1).mean(0), (
        torch.arange(1, 7) ** -0.25) / (torch.arange(1, 7) ** -0.25).sum(), reduction="sum"), inputs(),
             torch.randn(N, 6).softmax(1))
)  # fmt: skip
wrong("attention weights that sum to one over the batch", "softmax_wrong_axis|samples_mixed",
      "PetrochukM/PyTorch-NLP#2")(
    lambda: (Then(nn.Linear(8, 5), lambda z: (z[..., :1].softmax(0) * z[..., 1:]).sum(1)), nn.CrossEntropyLoss(),
             torch.randn(N, 6, 8), classes(4))
)  # fmt: skip
wrong("each sample's density takes off everybody's log-determinant", "wrong_formula|shapes_broadcast",
      "wohlert/semi-supervised-pytorch#21")(
    lambda: (flow(), lambda o, _: -(Normal(0.0, 1.0).log_prob(o[0]).sum(1) + sum(o[1])).mean(), inputs(), None)
)  # fmt: skip
wrong("a gradient penalty with the norm over the channels only", "wrong_formula", "caogang/wgan-gp#27")(
    lambda: (critic(), lambda o, y: (o[0] * y).mean() + 10 * ((o[1].norm(2, dim=1) - 1) ** 2).mean(),
             inputs(3, 6, 6), 2 * labels(1) - 1)
)  # fmt: skip
wrong("noise times the variance, not the deviation", "wrong_formula", "rachtsingh/ibp_vae#3")(
    lambda: (autoencoder(lambda v: v.exp()), lambda o, x: ((o[0] - x) ** 2).sum(1).mean() + divergence(o[1], o[2]),
             *(lambda x: (x, x))(inputs()))
)  # fmt: skip
wrong("a mask's cross-entropy with its arguments swapped", "arguments_swapped", "autonomousvision/sledge#4")(
    lambda: (mask_head(), lambda z, y: F.binary_cross_entropy_with_logits(y, z), inputs(3, 6, 6), labels(1, 6, 6))
)  # fmt: skip
wrong("the logarithm of a difference of scores", f"logarithm_of_raw_outputs|{NOT_FINITE}", "tanatosuu/GDE#3")(
    lambda: (Heads(liked=mlp(1), other=mlp(1), as_tuple=True), lambda o, _: -(o[0] - o[1]).sum(1).log().sum(), inputs(),
             None)
)  # fmt: skip


# ---------------------------------------------------------------- right


right("two log-softmaxes in kl_div with log_target, divided by numel", "facebookresearch/deit#116")(
    lambda: (mlp(5), lambda z, y: F.kl_div(F.log_softmax(z / 3, 1), F.log_softmax(y / 3, 1), reduction="sum",
                                           log_target=True) * 9 / z.numel(), inputs(), torch.randn(N, 5))
)  # fmt: skip
right("a contrast of two columns whose label is always 0", "Xtra-Computing/MOON#8")(
    lambda: (mlp(6), lambda z, y: F.cross_entropy(torch.stack([F.cosine_similarity(z, a) for a in y], 1) / 0.5,
                                                  torch.zeros(N, dtype=torch.long)), inputs(),
             (torch.randn(N, 6), torch.randn(N, 6)))
)  # fmt: skip
right("Cox: sorted samples, a running sum of risks", "havakv/pycox#27")(
    lambda: (Then(mlp(1), lambda h: h[:, 0]), lambda h, y: -((h - ((h - h.max()).exp().cumsum(0) + 1e-7).log()
                                                              - h.max()) * y).sum() / y.sum(), inputs(),
             labels(1)[:, 0])
)  # fmt: skip
right("a mixture's likelihood with the greatest term taken off and added", "ctallec/world-models#35")(
    lambda: (pair(share=3, mean=3, log_std=3), lambda o, y: (lambda g: -(g.max(1)[0] + (
        g - g.max(1, keepdim=True)[0]).exp().sum(1).log()).mean())(
        Normal(o[1], o[2].exp()).log_prob(y) + o[0].log_softmax(1)), inputs(), torch.randn(N, 1))
)  # fmt: skip
right("ordinal levels: log-sigmoid minus the logit", "Raschka-research-group/coral-cnn#9")(
    lambda: (mlp(4), lambda z, y: -(F.logsigmoid(z) * y + (F.logsigmoid(z) - z) * (1 - y)).sum(1).mean(), inputs(),
             (classes(5)[:, None] > torch.arange(4)).float())
)  # fmt: skip
right("padding masked by a class weight of zero", "MaximumEntropy/Seq2Seq-PyTorch#11")(
    lambda: (Tagger(48), lambda z, y: nn.CrossEntropyLoss(weight=(torch.arange(48) > 0).float())(
        z.flatten(0, 1), y.flatten()), *(lambda t: (t[:, :-1], t[:, 1:]))(padded_tokens(0)[0]))
)  # fmt: skip
right("a focal loss on cross-entropy: no further minus", "pytorch/vision#8519")(
    lambda: (mlp(3), lambda z, y: ((0.25 * y + 0.75 * (1 - y)) * F.binary_cross_entropy_with_logits(
        z, y, reduction="none") * (1 - (z.sigmoid() * y + (1 - z.sigmoid()) * (1 - y))) ** 2).mean(), inputs(),
             labels(3))
)  # fmt: skip
right("focal weights, detached, as the weight of the loss on logits", "kuangliu/torchcv#12")(
    lambda: (mlp(3), lambda z, y: F.binary_cross_entropy_with_logits(z, y, (
        (0.25 * y + 0.75 * (1 - y)) * (y - z.sigmoid()).abs() ** 2).detach(), reduction="sum"), inputs(), labels(3))
)  # fmt: skip
right("an advantage with a detached value, the critic taught beside", "nikhilbarhate99/PPO-PyTorch#29")(
    lambda: (pair(policy=3, value=1), lambda o, y: (lambda ratio, gain: -torch.min(
        ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean() + 0.5 * F.mse_loss(o[1][:, 0], y[2]))(
        (o[0].log_softmax(1).gather(1, y[0][:, None])[:, 0] - y[1]).exp(), y[2] - o[1][:, 0].detach()), inputs(),
             (classes(3), torch.full((N,), -1.1), torch.randn(N)))
)  # fmt: skip
right("logits while training, a sigmoid when evaluated", "ultralytics/yolov3#689")(
    lambda: (Part(lambda self, x: self.net(x) if self.training else self.net(x).sigmoid(), net=mlp(5)),
             nn.BCEWithLogitsLoss(), inputs(), labels(5))
)  # fmt: skip
right("boxes through a sigmoid, kinds as scores", "facebookresearch/detr#78")(
    lambda: (Heads(kind=mlp(4), box=mlp(4, nn.Sigmoid())),
             lambda o, y: F.cross_entropy(o["kind"], y[0]) + 5 * F.l1_loss(o["box"], y[1]), inputs(),
             (classes(4), torch.rand(N, 4)))
)  # fmt: skip
right("minus the cosine similarity, below zero, one side stopped", "facebookresearch/simsiam#44")(
    lambda: (Part(lambda self, x: (self.head(self.encode(x)), self.encode(x)), encode=mlp(6), head=nn.Linear(6, 6)),
             lambda o, _: -(F.cosine_similarity(o[0][:, 0], o[1][:, 1].detach()).mean()
                            + F.cosine_similarity(o[0][:, 1], o[1][:, 0].detach()).mean()) / 2, views(), None)
)  # fmt: skip
right("a cosine compared with marks of 0 to 1", "huggingface/sentence-transformers#549")(
    lambda: (mlp(6), lambda z, y: F.mse_loss(F.cosine_similarity(z[:, 0], z[:, 1]), y), torch.randn(N, 2, 8),
             torch.rand(N))
)  # fmt: skip
right("a hard Gumbel choice in the middle of a network", "pytorch/pytorch#68941")(
    lambda: (nn.Sequential(Then(mlp(5), lambda z: F.gumbel_softmax(z, hard=True)), nn.Linear(5, 3)),
             nn.CrossEntropyLoss(), inputs(), classes(3))
)  # fmt: skip
right("void pixels of 255, ignored", "HRNet/HRNet-Semantic-Segmentation#267")(
    lambda: (mask_head(channels=4), nn.CrossEntropyLoss(ignore_index=255), inputs(3, 6, 6),
             torch.where(torch.rand(N, 6, 6) < 0.2, 255, classes(4, 6, 6)))
)  # fmt: skip
right("two views: each one's likeness to itself is masked by a huge number", "yym6472/ConSERT#9")(
    lambda: (Then(mlp(6), lambda z: F.normalize(z, dim=-1)), lambda z, _: F.cross_entropy(torch.cat(
        [z[:, 0] @ z[:, 1].T, z[:, 0] @ z[:, 0].T - 1e9 * torch.eye(N)], 1) / 0.1, torch.arange(N)), views(), None)
)  # fmt: skip
right("a tanh for pictures of -1 to 1", "carpedm20/DCGAN-tensorflow#130")(
    lambda: (mask_head(nn.Tanh(), channels=3), nn.MSELoss(), *(lambda x: (x, x))(images(-1.0, 1.0)))
)


right("a balance of experts that enters by its gradient alone", "deepseek-ai/DeepSeek-MoE#17")(
    lambda: (Part(lambda self, x: (lambda p: Extra.apply(
        (torch.stack([e(x) for e in self.experts], 2) * p[:, None]).sum(2), 0.1 * (p.mean(0) ** 2).sum()))(
        self.gate(x).softmax(1)), gate=nn.Linear(8, 3), experts=nn.ModuleList(nn.Linear(8, 4) for _ in range(3))),
             nn.CrossEntropyLoss(), inputs(), classes(4))
)  # fmt: skip
right("a flow's likelihood, which may be negative", "vislearn/FrEIA#16")(
    lambda: (flow(), lambda o, _: (o[0] ** 2).mean() / 2 - o[1].mean() / 8, inputs(), None)
)
right("pairs: the softplus of other minus liked", "gusye1234/LightGCN-PyTorch#37")(
    lambda: (Heads(liked=nn.Linear(8, 1), other=nn.Linear(8, 1)),
             lambda o, _: F.softplus(o["other"] - o["liked"]).mean(), inputs(), None)
)  # fmt: skip
right("consistency: kl_div of the mixture's logarithm and each view", "wildphoton/RandConv#2")(
    lambda: (Then(mlp(4), lambda z: z.softmax(-1)), lambda p, y: F.nll_loss(p[:, 0].log(), y) + 10 * sum(F.kl_div(
        p.mean(1).clamp(1e-7, 1).log(), p[:, i], reduction="batchmean") for i in range(3)) / 3, views(3), classes(4))
)  # fmt: skip
right("depth: squared errors where it is known, divided by their number", "irolaina/FCRN-DepthPrediction#34")(
    lambda: (mask_head(), lambda o, y: (((o - y) * (y > 0)) ** 2).sum() / (y > 0).sum(), inputs(3, 6, 6),
             5 * F.relu(torch.rand(N, 1, 6, 6) - 0.3))
)  # fmt: skip


right("soft actor: its log-probability minus its worth", "openai/spinningup#304")(
    lambda: (Part(actor, mean=nn.Linear(8, 2), log_std=nn.Linear(8, 2), critic=nn.Linear(10, 1).requires_grad_(False)),
             lambda o, _: (0.2 * o[0] - o[1]).mean(), inputs(), None)
)  # fmt: skip
right("diffusion: the noise itself is the target", "tqch/ddpm-torch#2")(
    lambda: (mlp(8), nn.MSELoss(), *(lambda e: (0.6 * inputs() + 0.8 * e, e))(torch.randn(N, 8)))
)
right("targets first in a loss that does not mind", "lucidrains/DALLE2-pytorch#30")(
    lambda: (mlp(8), lambda out, y: F.l1_loss(y, out), inputs(), torch.randn(N, 8))
)
right("the last state of an LSTM told that the batch comes first", "pytorch/pytorch#19675")(
    lambda: (Part(lambda self, x: self.out(self.rnn(x)[1][0][-1]), rnn=nn.LSTM(8, 16, batch_first=True),
                  out=nn.Linear(16, 3)), nn.CrossEntropyLoss(), torch.randn(N, 6, 8), classes(3))
)  # fmt: skip
