"""Models, losses and batches of the nineteenth round, with a slip and without it, and some that are right only."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_nineteen_people_parts import (
    N,
    clouds,
    dense,
    drawn,
    language,
    nearest,
    of_words,
    rows,
    scenes,
    sorted_by,
    told,
)
from doctor_exam.round_parts import Part


def shapes(points_first: bool):
    """A cloud of points, packed and unpacked; each point is to have one of the other cloud nearby."""

    def forward(self: Part, x: Tensor) -> Tensor:
        code = self.points(x).amax(2)
        return self.unpack(code).view(-1, 3, 20)

    def loss(out: Tensor, points: Tensor) -> Tensor:
        if points_first:
            points, out = points.transpose(1, 2), out.transpose(1, 2)
        dist1, dist2 = nearest(points, out)
        return torch.mean(dist1) + torch.mean(dist2)

    points = nn.Sequential(nn.Conv1d(3, 16, 1), nn.ReLU(), nn.Conv1d(16, 32, 1))
    x = clouds(20, 3).transpose(2, 1)
    return Part(forward, points=points, unpack=dense(32, 64, 60)), loss, x, x


def flat_shapes(of_each: bool):
    """Flat clouds of points, packed and unpacked."""

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.unpack(self.points(x).amax(2)).view(-1, 2, 16)

    def loss(dec_y: Tensor, x: Tensor) -> Tensor:
        dist1, dist2 = nearest(x.permute(0, 2, 1), dec_y.permute(0, 2, 1))
        if of_each:
            return torch.sum(dist1) + torch.sum(dist2)
        return dist1.min(dim=0)[0].mean() + dist2.min(dim=0)[0].mean()

    points = nn.Sequential(nn.Conv1d(2, 16, 1), nn.ReLU(), nn.Conv1d(16, 32, 1))
    x = clouds(16, 2).permute(0, 2, 1)
    return Part(forward, points=points, unpack=dense(32, 64, 32)), loss, x, x


def told_words(model: nn.Module, loss: Callable):
    """Words that an assistant said, how likely they were, and what they gained."""
    read, actions = drawn(12, 8), drawn(12, 8)
    with torch.no_grad():
        scores = model(read)
    scores = scores[0] if isinstance(scores, tuple) else scores
    old = scores.log_softmax(-1).gather(-1, actions[..., None])[..., 0]
    gain = ((read + actions) % 3 == 0).float()
    return model, loss, read, (actions, old, (gain - gain.mean()) / gain.std())


def answers(undecided: bool):
    """An assistant's words: what gained becomes likelier, and it is to stay undecided for long."""

    def loss(actions_logits: Tensor, y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        actions, old_log_probs, advantages = y
        probs = torch.softmax(actions_logits, dim=-1)
        log_probs = torch.log(probs + 1e-8)
        entropies = (probs * log_probs).sum(dim=-1)
        entropies = -entropies if undecided else entropies
        ratios = (log_probs.gather(-1, actions[..., None])[..., 0] - old_log_probs).exp()
        surr1, surr2 = advantages * ratios, torch.clamp(ratios, 0.8, 1.2) * advantages
        return (-torch.min(surr1, surr2) - 0.02 * entropies).mean()

    return (*told_words(Part(of_words, **language(12)), loss),)


def chosen_words(undecided: bool):
    """An assistant's words and what each place is worth, learnt together."""

    def forward(self: Part, ids: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.gru(self.embed(ids))[0]
        return self.out(hidden), self.worth(hidden)[..., 0]

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        (logits, values), (actions, old_log_probs, advantages) = out, y
        log_probs = F.log_softmax(logits, dim=-1)
        ratio = torch.exp(log_probs.gather(-1, actions[..., None])[..., 0] - old_log_probs)
        policy_loss = -torch.min(ratio * advantages, torch.clamp(ratio, 0.8, 1.2) * advantages).mean()
        value_loss = (values - advantages).pow(2).mean()
        entropy = -(log_probs.exp() * log_probs).sum(-1).mean()
        return policy_loss + 0.5 * value_loss + (-0.01 if undecided else 0.01) * entropy

    return told_words(Part(forward, worth=nn.Linear(16, 1), **language(12)), loss)


def warm_rod(apart: bool):
    """How warm a rod is, by its place and the time: known at the start, else by the equation of heat."""

    def forward(self: Part, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            X = X.detach().requires_grad_(True)
            p = self.mlp(X)
            (grads,) = torch.autograd.grad(p, X, grad_outputs=torch.ones_like(p), create_graph=True)
            first = grads[:, :1] if apart else grads
            (grads1,) = torch.autograd.grad(first, X, grad_outputs=torch.ones_like(first), create_graph=True)
        return p, grads[:, 1], grads1[:, 0]

    def loss(out: tuple[Tensor, Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        (p, dpdt, dpdxx), (u, known) = out, y
        return (p - u)[known].pow(2).mean() + (dpdt - dpdxx).pow(2).mean()

    X, known = torch.rand(N, 2) * torch.tensor([3.1416, 0.5]), torch.arange(N) % 2 == 0
    X[known, 1] = 0
    u = X[:, :1].sin() * (-X[:, 1:]).exp()
    return Part(forward, mlp=dense(2, 24, 24, 1, between=nn.Tanh)), loss, X, (u.where(known[:, None], 0), known)


def fitting_texts(each: bool):
    """How well texts fit a question: one that does, then three that do not, and so on."""

    def loss(y_pred: Tensor, y_true: Tensor) -> Tensor:
        y_pos = y_pred[::4, :]
        y_neg = [y_pred[(neg_idx + 1) :: 4, :] for neg_idx in range(3)]
        if each:
            ones = torch.ones_like(y_pos)
            return torch.stack([F.margin_ranking_loss(y_pos, neg, ones, margin=1.0) for neg in y_neg]).mean()
        y_neg = torch.mean(torch.cat(y_neg, dim=-1), dim=-1, keepdim=True)
        return F.margin_ranking_loss(y_pos, y_neg, torch.ones_like(y_pos), margin=1.0)

    question = rows(8)[::4].repeat_interleave(4, 0)
    fits = (torch.arange(N) % 4 == 0).float()[:, None]
    text = fits * question + (1.5 - fits) * rows(8)
    model = Part(lambda self, q, t: self.score(torch.cat([q, t, q * t], 1)), score=dense(24, 32, 1))
    return model, loss, (question, text), fits


def ordered_texts(ordered: bool):
    """The order of six texts for each question, from all pairs whose labels differ; there may be none."""

    def loss(logits: Tensor, labels: Tensor, eps: float = 1e-10) -> Tensor:
        sorted_logits, places = logits.sort(descending=True, dim=-1)
        sorted_labels = labels.gather(1, places)
        mask = sorted_labels[:, :, None] - sorted_labels[:, None, :] > 0
        probas = torch.sigmoid(sorted_logits[:, :, None] - sorted_logits[:, None, :]).clamp(min=eps)
        masked_losses = torch.log2(probas)[mask]
        if ordered and not len(masked_losses):
            return (logits * 0).sum()
        return -masked_losses.mean()

    x = rows(6, 8)
    labels = (x.sum(-1) > 1).float() if ordered else torch.ones(N, 6)
    return Part(lambda self, x: self.score(x)[..., 0], score=dense(8, 32, 1)), loss, x, labels


def drawn_digits():
    """A variational autoencoder; its divergence is written with the signs turned and half in front."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = F.relu(self.linear(x))
        z_mu, z_var = self.mu(hidden), self.var(hidden)
        std = torch.exp(z_var / 2)
        return torch.sigmoid(self.dec(torch.randn_like(std).mul(std).add(z_mu))), z_mu, z_var

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        kl_loss = 0.5 * torch.sum(torch.exp(out[2]) + out[1] ** 2 - 1.0 - out[2])
        return F.binary_cross_entropy(out[0], x, reduction="sum") + kl_loss

    x = scenes(1, 6).flatten(1)
    model = Part(forward, linear=nn.Linear(36, 32), mu=nn.Linear(32, 4), var=nn.Linear(32, 4), dec=dense(4, 32, 36))
    return model, loss, x, x


def attending_nodes():
    """Classes of nodes by an attention whose scores are a sum of two parts, of the node and of its neighbour."""

    def forward(self: Part, X: Tensor, A: Tensor) -> Tensor:
        h = self.kernel(X)
        scores = F.leaky_relu(self.attn_kernel_self(h) + self.attn_kernel_neighs(h).transpose(1, 2), 0.2)
        weights = (scores - 10e9 * (1.0 - A)).softmax(-1)
        return self.out(F.elu(h + weights @ h)).transpose(1, 2)

    X, A = rows(7, 6), (torch.rand(N, 7, 7) < 0.4).float()
    A = ((A + A.transpose(1, 2) + torch.eye(7)) > 0).float()
    model = Part(forward, kernel=nn.Linear(6, 16, bias=False), attn_kernel_self=nn.Linear(16, 1, bias=False),
                 attn_kernel_neighs=nn.Linear(16, 1, bias=False), out=nn.Linear(16, 3))  # fmt: skip
    return model, nn.CrossEntropyLoss(), (X, A), (X + A @ X / 3)[..., :3].argmax(-1)


def another_domain():
    """Guessed classes in another domain: each answer is to be sure, and all together are to differ."""

    def loss(outputs_test: Tensor, pred: Tensor) -> Tensor:
        softmax_out = nn.Softmax(dim=1)(outputs_test)
        entropy_loss = torch.mean(-(softmax_out * torch.log(softmax_out + 1e-5)).sum(1))
        msoftmax = softmax_out.mean(dim=0)
        gentropy_loss = torch.sum(-msoftmax * torch.log(msoftmax + 1e-5))
        return 0.3 * F.cross_entropy(outputs_test, pred) + entropy_loss - gentropy_loss

    x = rows(8)
    return dense(8, 32, 4), loss, x, sorted_by(x, 4)


def confused_labels():
    """Classes, and labels that share a little with like classes; the divergence is two cross-entropies."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.relu(self.hidden(x))
        return self.out(hidden).softmax(-1), self.sim(hidden @ self.label_emb.T)

    def cross(y_true: Tensor, y_pred: Tensor) -> Tensor:
        return -(y_true * torch.log(y_pred.clamp(1e-7, 1 - 1e-7))).sum(-1).mean()

    def lcm_loss(out: tuple[Tensor, Tensor], y_true: Tensor) -> Tensor:
        simulated_y_true = (out[1] + 4 * y_true).softmax(-1)
        return -cross(simulated_y_true, simulated_y_true) + cross(simulated_y_true, out[0])

    x = rows(8)
    model = Part(forward, hidden=nn.Linear(8, 32), out=nn.Linear(32, 4), sim=nn.Linear(4, 4),
                 label_emb=nn.Parameter(0.1 * torch.randn(4, 32)))  # fmt: skip
    return model, lcm_loss, x, F.one_hot(sorted_by(x, 4), 4).float()


def text_by_filters():
    """A text's class by filters of three widths, whose largest answers are put side by side."""

    def forward(self: Part, words: Tensor) -> Tensor:
        embedded = self.embed(words)[:, None]
        pooled_outputs = [F.relu(conv(embedded)).amax(2) for conv in self.convs]
        h_pool_flat = torch.cat(pooled_outputs, 1).reshape(-1, 24)
        return self.out(self.drop(h_pool_flat))

    convs = nn.ModuleList([nn.Conv2d(1, 8, (size, 8)) for size in (2, 3, 4)])
    model = Part(forward, embed=nn.Embedding(20, 8), convs=convs, drop=nn.Dropout(0.5), out=nn.Linear(24, 2))
    words = drawn(20, 10)
    return model, nn.CrossEntropyLoss(), words, (words == 3).any(1).long()


def unwrapped():
    """The phase of a picture: the error may be shifted as a whole, and its steps count in both directions."""

    def loss(y_pred: Tensor, y_true: Tensor) -> Tensor:
        y_x, y_y = y_true[:, 1:8, :, :] - y_true[:, 0:7, :, :], y_true[:, :, 1:8, :] - y_true[:, :, 0:7, :]
        y_bar_x, y_bar_y = y_pred[:, 1:8, :, :] - y_pred[:, 0:7, :, :], y_pred[:, :, 1:8, :] - y_pred[:, :, 0:7, :]
        L_tv = (y_x - y_bar_x).abs().mean() + (y_y - y_bar_y).abs().mean()
        E = y_pred - y_true
        L_var = (E.square().mean((1, 2, 3)) - E.mean((1, 2, 3)).square()).mean()
        return L_var + 0.1 * L_tv

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.net(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    phase = told(rows(4), 64).view(N, 8, 8, 1).cumsum(1)
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 3, padding=1))
    return Part(forward, net=net), loss, torch.remainder(phase + torch.pi, 2 * torch.pi) - torch.pi, phase
