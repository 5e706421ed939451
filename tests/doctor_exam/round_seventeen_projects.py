"""Set-ups of the seventeenth round (bugs reported or mended in projects), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; lists of hits of issues and of
pages for each, gone through in their order:

wrong loss, fix loss function implementation; softmax applied twice before CrossEntropyLoss in this repo; is the loss
function implemented correctly, does not match the paper; loss mask not applied in training loop; padding tokens
included in the loss; loss goes negative during training, is that a bug; loss not decreasing because of detach or no
grad in training code; dice loss implementation bug; focal loss alpha implemented wrong; KL loss term wrong sign or sum
instead of mean in VAE repo; class weights are applied to the wrong class in loss; contrastive loss implementation
wrong, positives included in denominator; triplet loss implementation bug hard mining picks wrong samples; smooth l1 or
IoU or GIoU box regression loss bug; label smoothing loss implementation bug; knowledge distillation loss bug student
and teacher swapped; generator loss and discriminator loss labels swapped or detach missing; depth estimation
scale-invariant loss or mask of invalid pixels bug; recommendation BPR or BCE loss computed on logits bug; speech or
text-to-speech model loss bug mask mel postnet stop token; policy gradient or PPO or DQN loss bug in this repo; fix
wrong dimension in softmax in attention or loss; broadcasting bug in loss, shapes (N,1) and (N) give wrong MSE; model
forward returns sigmoid but training uses BCEWithLogitsLoss.

The lists of issues, some two hundred and eighty hits, gave more than enough, so those of pages were left. For many a
hit the repository or its history was read. Every thread was kept in which an answer or the code shows a cause that lies
in the model, the loss or the batch, also where several have the same, and they stand in the order of the lists. Left
out: no cause named, or a title without a text (most); threads that stand in earlier rounds (some forty); users who were
mistaken, or right about what does no harm (about twenty; four of these set-ups are the right ones without a wrong one);
other subjects, such as dice that are thrown (a dozen); choices that train either way, such as one weight for both sides
of a focal loss, a constant, or a mean for a sum in a divergence (about fifteen); errors that are raised at once (five);
the order of the data or an exchange of two names (four); a loss that is only watched, and an attack. Two have no right
neighbour: what mended the hidden words still divides by all places, and what mended the part capsules is open to
dispute. In the right policy the critic's gradient is cut off from the advantage as well, which the thread left. The
names of the findings are those of the sentences, chosen before any score.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.round_parts import Part
from doctor_exam.round_seventeen_projects_builds import (
    attention_of_a_teacher,
    boundaries,
    cells,
    counting_words,
    digits,
    entities,
    faces,
    hardest,
    matching,
    neighbours,
    notes_to_a_beat,
    pairs,
    read_by_a_fixed_model,
    reviews,
    sketches_and_photos,
)
from doctor_exam.round_seventeen_projects_parts import (
    ApproxRepSet,
    N,
    SKConv,
    bce_masked,
    encoder,
    kinds,
    mse_masked,
    sentences,
    shown,
    stable_bce,
)

SEVENTEEN_PROJECTS = CaseSet()
right, wrong = SEVENTEEN_PROJECTS.right, SEVENTEEN_PROJECTS.wrong


def both(source: str, code: str, build: Callable, slip: str, repaired: str | None = None) -> None:
    """Register a set-up with its slip and, where it is to be had, without it."""
    wrong(slip, code, source)(lambda: build(False))
    if repaired:
        right(repaired, source)(lambda: build(True))


def told_by_a_teacher(beside: bool):
    """What a teacher says of the next word at each place, learnt by a smaller model of the same kind."""
    chance = 3 * torch.randn(12, 12)

    def forward(self: Part, ids: Tensor) -> Tensor:
        later = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        return self.out(self.encoder(self.words(ids) + self.places, mask=later))

    def loss(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        aligned_teacher_logits = teacher_logits[:, :-1, :].contiguous()
        aligned_student_logits = (student_logits[:, :-1, :] if beside else student_logits[:, 1:, :]).contiguous()
        student, teacher = aligned_student_logits.view(-1, 12) / 5, aligned_teacher_logits.view(-1, 12) / 5
        return F.kl_div(F.log_softmax(student, dim=-1), F.softmax(teacher, dim=-1), reduction="batchmean") * 25

    ids = [torch.randint(0, 12, (N,))]
    for _ in range(9):
        ids.append(chance[ids[-1]].softmax(1).multinomial(1)[:, 0])
    ids, places = torch.stack(ids, 1), nn.Parameter(0.1 * torch.randn(10, 16))
    model = Part(forward, words=nn.Embedding(12, 16), places=places, encoder=encoder(dropout=0.0),
                 out=nn.Linear(16, 12))  # fmt: skip
    return model, loss, ids, chance[ids]


def two_languages(in_graph: bool):
    """Questions of one language with answers, and texts of another that a fixed judge shall take for the first."""
    judge = nn.Sequential(nn.Linear(16, 16), nn.LeakyReLU(), nn.Linear(16, 1)).requires_grad_(False)

    def forward(self: Part, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.tanh(self.encoder(self.words(target).mean(1)))
        return self.out(torch.tanh(self.encoder(self.words(source).mean(1)))), logits if in_graph else logits.detach()

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        output = judge(out[1])
        label = torch.empty(*output.size()).fill_(1.0).type_as(output)
        return F.cross_entropy(out[0], y) + 0.5 * F.binary_cross_entropy_with_logits(output, label)

    (ids, y), model = sentences(), Part(forward, words=nn.Embedding(60, 16), encoder=nn.Linear(16, 16),
                                        out=nn.Linear(16, 2))  # fmt: skip
    return model, loss, (ids, 30 + torch.randint(0, 30, (N, 10))), y


def spoken(reduced: bool):
    """Frames of speech, and when to stop: said once for every two frames, while lengths count frames."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.rnn(x)[0]
        return self.mel(h), self.stop(h.reshape(len(x), 6, 32))[:, :, 0]

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, ...]) -> Tensor:
        mel, stop_targets, lengths = y
        stop_targets = stop_targets.view(len(mel), stop_targets.size(1) // 2, -1)
        stop_targets = (stop_targets.sum(2) > 0.0).float()
        return mse_masked(out[0], mel, lengths) + bce_masked(out[1], stop_targets, lengths // 2 if reduced else lengths)

    lengths = 2 * torch.randint(2, 7, (N,))
    real, last = torch.arange(12) < lengths[:, None], torch.arange(12) == lengths[:, None] - 1
    x = torch.cat([torch.randn(N, 12, 7) * real[..., None], last.float()[..., None]], 2)
    model = Part(forward, rnn=nn.GRU(8, 16, batch_first=True), mel=nn.Linear(16, 4), stop=nn.Linear(32, 1))
    return model, loss, x, (x[..., :4] + 0.5 * x[..., 3:7], last.float(), lengths)


def near_the_old_policy(flat: bool):
    """States, actions and returns; a policy that stays near its old one, with a critic and an entropy."""

    def forward(self: Part, s: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.body(s.flatten(1)))
        return self.policy(h), self.value(h)

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, ...]) -> Tensor:
        prepolicy, state_values = out[0], out[1].reshape(-1)
        a, r, old = (y[0].reshape(-1), y[1].reshape(-1), y[2]) if flat else y
        adv, policy_curr = r - state_values, Categorical(logits=prepolicy)
        if flat:
            adv = r - state_values.detach()
            adv = (adv - adv.mean()) / adv.std()
        ratio = torch.exp(policy_curr.log_prob(a) - Categorical(logits=old).log_prob(a))
        vf_loss, clipped = F.mse_loss(state_values, r.squeeze()), adv * ratio.clamp(0.8, 1.2)
        pi_loss = -torch.min(adv * ratio, clipped).mean() if flat else -torch.min((adv * ratio).mean(), clipped.mean())
        return pi_loss + 0.5 * vf_loss - 0.01 * policy_curr.entropy().mean()

    model = Part(forward, body=nn.Linear(16, 32), policy=nn.Linear(32, 4), value=nn.Linear(32, 1))
    s, a = torch.randn(N, 4, 4), torch.randint(0, 4, (N, 1))
    r = (s[:, 0].argmax(1, keepdim=True) == a).float() + 0.1 * torch.randn(N, 1)
    return model, loss, s, (a, r, model(s)[0].detach())


def part_capsules(_: bool):
    """Pictures made of six parts: for each part how sure, how strong, and where to look for it."""

    def forward(self: Part, x: Tensor) -> Tensor:
        outputs = self.capsules(x)
        outputs = outputs.view(-1, 6, 3, *outputs.size()[2:])
        attention = outputs[:, :, -1].unsqueeze(2)
        attention_soft = self.soft_max(attention.view(*attention.size()[:3], -1)).view_as(attention)
        param = torch.sum(torch.sum(outputs[:, :, :-1] * attention_soft, dim=-1), dim=-1)
        d_m, c_z = torch.sigmoid(param[:, :, :1]), F.softplus(param[:, :, 1:])
        return ((d_m * c_z)[..., None] * self.templates).sum(1)

    there, parts = (torch.rand(N, 6) < 0.5).float(), torch.randn(6, 10, 10)
    capsules = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 18, 1))
    model = Part(forward, capsules=capsules, soft_max=nn.Softmax(2), templates=nn.Parameter(torch.randn(6, 10, 10)))
    x = torch.einsum("np,phw->nhw", there, parts)[:, None] / 2
    return model, lambda out, y: F.mse_loss(out, y[:, 0]), x, x


def noisy_sounds(logits: bool):
    """Clean and noisy sounds with independent tags, told by two last layers on one body."""
    sigmoid, criterion_bce = torch.sigmoid, nn.BCEWithLogitsLoss()

    def forward(self: Part, x: Tensor, noisy: Tensor) -> tuple[Tensor, Tensor]:
        return self.last1(self.body(x)), self.last2(self.body(noisy))

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        output, output_noisy = out
        return criterion_bce(output, y[0]) + criterion_bce(output_noisy if logits else sigmoid(output_noisy), y[1])

    body = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
    x, noisy, of = torch.randn(N, 8), torch.randn(N, 8), torch.randn(8, 6)
    y = (x @ of > 0).float(), (noisy @ of > 0).float()
    return Part(forward, body=body, last1=nn.Linear(32, 6), last2=nn.Linear(32, 6)), loss, (x, noisy), y


def cats_and_dogs(logits: bool):
    """Pictures of two kinds by a body of convolutions and a classifier with one output."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.fc(self.feature_extractor(x).squeeze(-1).squeeze(-1))
        return x if logits else torch.sigmoid(x)

    body = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    model = Part(forward, feature_extractor=body, fc=nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1)))
    x, y = kinds(2, 3, 8, 8)
    return model, lambda z, y: F.binary_cross_entropy_with_logits(z, y.view((-1, 1)).type_as(z)), x, y


@right("sets of vectors: log-shares into a cross-entropy, which changes nothing", "giannisnik/repset#1")
def _():
    x, y = kinds(4, 1, 6)
    return ApproxRepSet(8, 4, 6, 4), F.cross_entropy, x + 0.5 * torch.randn(N, 5, 6), y


@right("pictures without noise: a loss in decibels, below zero", "megvii-research/NAFNet#19")
def _():
    def psnr(pred: Tensor, target: Tensor) -> Tensor:
        return 10 / 2.302585 * torch.log(((pred - target) ** 2).mean(dim=(1, 2, 3)) + 1e-8).mean()

    clean = shown(24, 12)[1].expand(-1, 3, -1, -1)
    body = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1))
    return Part(lambda self, x: x + self.body(x), body=body), psnr, clean + 0.3 * torch.randn_like(clean), clean


@right("pictures and attributes from one code: every cross-entropy by hand", "mhw32/multimodal-vae-public#4")
def _():
    def forward(self: Part, image: Tensor) -> tuple[Tensor, ...]:
        mu, logvar = self.encode(image).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * logvar.mul(0.5).exp()
        return self.image(z), self.attrs(z), mu, logvar

    def elbo(out: tuple[Tensor, ...], y: tuple[Tensor, Tensor]) -> Tensor:
        recon_image, recon_attrs, mu, logvar = out
        image_bce, attrs_bce = torch.sum(stable_bce(recon_image, y[0]), dim=1), 0
        for i in range(4):
            attrs_bce += stable_bce(recon_attrs[:, i], y[1][:, i])
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
        return torch.mean(image_bce + attrs_bce + kld)

    attrs = (torch.rand(N, 4) < 0.5).float()
    image = ((attrs - 0.5) @ torch.randn(4, 20) > 0).float()
    encode = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 6))
    return Part(forward, encode=encode, image=nn.Linear(3, 20), attrs=nn.Linear(3, 4)), elbo, image, (image, attrs)


@right("branches of kernels: their shares are over the branches", "pppLang/SKNet#1")
def _():
    net = nn.Sequential(nn.Conv2d(1, 8, 1), SKConv(8), nn.Flatten(), nn.Linear(288, 4))
    return net, nn.CrossEntropyLoss(), *kinds(4, 1, 6, 6)


TWICE, PADDED = "activation_twice", "padding_not_ignored"
both("tflearn/tflearn#562", TWICE, digits, "digits: shares into a softmax cross-entropy", "digits: scores into it")
both("gitabcworld/MatchingNetworks#5", TWICE, matching,
     "five examples: shares into a cross-entropy", "five examples: likenesses into a cross-entropy")  # fmt: skip
both("lansinuote/Huggingface_Toturials#6", TWICE, read_by_a_fixed_model,
     "on top of a fixed model: shares into a cross-entropy", "on top of a fixed model: scores into it")  # fmt: skip
both("sugi-chan/custom_bert_pipeline#1", TWICE, reviews,
     "reviews: the loop squashes before the loss", "reviews: the loss takes what the model says")  # fmt: skip
both("EleutherAI/gpt-neo#45", PADDED, counting_words, "hidden words: the label 0 of all others counts")
both("dmis-lab/biobert#174", PADDED, lambda ok: entities(6, 12, ok),
     "names of genes: the filling is tagged, too", "names of genes: the filling does not count")  # fmt: skip
both("xuanzebi/BERT-CH-NER#12", PADDED, lambda ok: entities(10, 16, ok),
     "names in Chinese: the filling is tagged, too", "names in Chinese: the filling does not count")  # fmt: skip
both("bboylyg/NAD#8", "dead_term", attention_of_a_teacher,
     "a teacher's attention: its loss is cut off", "a teacher's attention: only its maps are cut off")  # fmt: skip
both("haowang1992/DSN#2", "dead_term", sketches_and_photos,
     "centres of sketches: the photos are cut off", "centres of sketches: the photos learn")  # fmt: skip
both("selimsef/dsb2018_topcoders#6", "overlap_on_logits", cells,
     "cells: overlaps of logits", "cells: overlaps of shares")  # fmt: skip
both("adambielski/siamese-triplet#4", "wrong_formula", pairs,
     "pairs: the hard ones are the furthest", "pairs: the hard ones are the nearest")  # fmt: skip
both("liorshk/facenet_pytorch#6", "dead_term", faces,
     "triplets of faces: chosen in numpy", "triplets of faces: chosen in the graph")  # fmt: skip
both("KevinMusgrave/pytorch-metric-learning#476", "wrong_formula", lambda ok: hardest(-torch.inf if ok else None),
     "hardest of two classes: a zero hides the others", "hardest of two classes: minus infinity does")  # fmt: skip
both("jinnnju/PaAno#1", "zero_gradient|loss_is_constant", lambda ok: neighbours(torch.inf if ok else -torch.inf),
     "pieces of a series: the piece itself is furthest", "pieces of a series: the piece itself is out")  # fmt: skip
both("sseung0703/KD_methods_with_TF#2", "weights_without_gradient|wrong_formula", boundaries,
     "a teacher's boundaries: the layer between on its side", "a teacher's boundaries: on the student's")  # fmt: skip
both("DeepOpt-com/WrinkleFree-Monorepo#13", "labels_not_shifted|target_in_view|wrong_formula", told_by_a_teacher,
     "a teacher's next words: one place further on", "a teacher's next words: place by place")  # fmt: skip
both("Impavidity/relogic#6", "dead_term|outputs_without_gradient", two_languages,
     "two languages: what is judged is cut off", "two languages: what is judged learns")  # fmt: skip
both("mozilla/TTS#606", PADDED, spoken,
     "when to stop: lengths count frames, steps are of two", "when to stop: lengths count steps")  # fmt: skip
both("jvmncs/safe-grid-agents#47", "shapes_broadcast", near_the_old_policy,
     "near the old policy: actions and returns are columns", "near the old policy: all are flat")  # fmt: skip
both("phanideepgampa/stacked-capsule-networks#5", "softmax_over_one_output", part_capsules,
     "part capsules: a softmax over one number")  # fmt: skip
both("tsunrise/everybody-compose#53", "softmax_over_one_output", notes_to_a_beat,
     "notes to a beat: a softmax over one number", "notes to a beat: a softmax over the steps")  # fmt: skip
both("OsciiArt/Freesound-Audio-Tagging-2019#1", TWICE, noisy_sounds,
     "noisy sounds: one of two losses gets shares", "noisy sounds: both losses get logits")  # fmt: skip
both("Lightning-AI/pytorch-lightning#7096", TWICE, cats_and_dogs,
     "cats and dogs: a share into a loss of logits", "cats and dogs: a logit into it")  # fmt: skip
