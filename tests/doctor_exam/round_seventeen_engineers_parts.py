"""Networks of the engineers' set of the seventeenth round, and its set-ups of texts and shops."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from doctor_exam.round_parts import Part

N = 32  # samples of a batch


def chosen(*shape: int, below: float = 0.5) -> Tensor:
    """True with this probability."""
    return torch.rand(N, *shape) < below


def labelled(x: Tensor, count: int) -> Tensor:
    """Class numbers that can be read from the inputs."""
    return (x @ torch.randn(x.shape[1], count)).argmax(1)


def reader(words: int, places: int, outputs: int = 0) -> dict[str, nn.Module | nn.Parameter]:
    """Vectors of words and places, one layer of an encoder, and a last layer where it has outputs."""
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    place = nn.Parameter(0.1 * torch.randn(places, 16))
    last = {"out": nn.Linear(16, outputs)} if outputs else {}
    return {"embed": nn.Embedding(words, 16), "place": place, "encoder": encoder} | last


def read(self: Part, words: Tensor) -> Tensor:
    """What the encoder makes of words, of which 0 is padding."""
    return self.encoder(self.embed(words) + self.place, src_key_padding_mask=words == 0)


def counted(length: int, low: int, high: int) -> Tensor:
    """Rows of numbers that count upwards and start again behind the highest."""
    return low + (torch.randint(0, 99, (N, 1)) + torch.arange(length)) % (high - low)


def padded(words: Tensor) -> Tensor:
    """The same rows, some cut short and filled up with 0."""
    return words.masked_fill(torch.arange(words.shape[1]) >= torch.randint(4, words.shape[1] + 1, (N, 1)), 0)


class CRF(nn.Module):
    """The log-likelihood of tags, by the scores of each and of each pair of neighbours, summed over the batch."""

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        self.start_transitions, self.end_transitions = (nn.Parameter(torch.rand(num_tags) / 5 - 0.1) for _ in "ab")
        self.transitions = nn.Parameter(torch.rand(num_tags, num_tags) / 5 - 0.1)

    def forward(self, emissions: Tensor, tags: Tensor, mask: Tensor | None = None) -> Tensor:
        """The scores of the tags, less the logarithm of what all tags together give."""
        mask = torch.ones_like(tags).bool() if mask is None else mask
        rows = torch.arange(len(tags))
        score = self.start_transitions[tags[:, 0]] + emissions[rows, 0, tags[:, 0]]
        every = self.start_transitions + emissions[:, 0]
        for i in range(1, tags.shape[1]):
            step = self.transitions[tags[:, i - 1], tags[:, i]] + emissions[rows, i, tags[:, i]]
            score = score + step * mask[:, i]
            following = (every.unsqueeze(2) + self.transitions + emissions[:, i].unsqueeze(1)).logsumexp(1)
            every = torch.where(mask[:, i].unsqueeze(1), following, every)
        score = score + self.end_transitions[tags[rows, mask.long().sum(1) - 1]]
        return (score - (every + self.end_transitions).logsumexp(1)).sum()


class BayesLinear(nn.Module):
    """A linear layer that draws its weights, and keeps their divergence from a mixture of two normals."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.empty(out_features, in_features + 1).uniform_(-0.2, 0.2))
        self.rho = nn.Parameter(torch.empty(out_features, in_features + 1).uniform_(-5, -4))
        self.kl_divergence = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        """Draw the weights and apply them."""
        sigma = torch.log(1 + torch.exp(self.rho))
        w = self.mu + sigma * torch.randn_like(self.mu)
        log_posterior = (-torch.log(sigma) - (w - self.mu) ** 2 / (2 * sigma**2)).sum() - 0.919 * w.numel()
        mixture = 0.5 * torch.exp(Normal(0, 1).log_prob(w)) + 0.5 * torch.exp(Normal(0, 0.0025).log_prob(w))
        self.kl_divergence = log_posterior - torch.log(mixture).sum()
        return F.linear(x, w[:, :-1], w[:, -1])


def tower(inputs: int, *ends: nn.Module) -> nn.Sequential:
    """One task's layers of a model for advertisements."""
    return nn.Sequential(nn.Linear(inputs, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1), *ends)


def shown() -> tuple[Tensor, Tensor, Tensor]:
    """Who was shown what [N, 4], whether it was clicked, and whether it was then bought."""
    sparse = torch.stack([torch.randint(0, size, (N,)) for size in (12, 3, 15, 5)], 1)
    liking = torch.randn(12)[sparse[:, 0]] + torch.randn(15)[sparse[:, 2]]
    click = liking > 0
    return sparse, click.long(), (click & (liking + torch.randn(5)[sparse[:, 3]] > 0.7)).long()


class ESMM(nn.Module):
    """Two towers over the vectors of sparse features: of a click, and of a purchase behind a click."""

    def __init__(self, sizes: tuple[int, ...], joined: Callable) -> None:
        super().__init__()
        self.embedding = nn.ModuleList([nn.Embedding(size, 4) for size in sizes])
        self.tower_cvr, self.tower_ctr = tower(4 * len(sizes)), tower(4 * len(sizes))
        self.joined = joined

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """What is made of the two towers."""
        hidden = torch.cat([embed(x[:, i]) for i, embed in enumerate(self.embedding)], 1)
        return self.joined(self.tower_cvr(hidden), self.tower_ctr(hidden))


class TransRec(nn.Module):
    """A user moves from the last item to the next; nearer items score higher."""

    def __init__(self, n_users: int, n_items: int, size: int) -> None:
        super().__init__()
        self.user_embedding = nn.Embedding(n_users, size, padding_idx=0)
        self.item_embedding = nn.Embedding(n_items, size, padding_idx=0)
        self.bias = nn.Embedding(n_items, 1, padding_idx=0)
        self.T = nn.Parameter(torch.zeros(size))
        for layer in (self.user_embedding, self.item_embedding, self.bias):
            nn.init.xavier_normal_(layer.weight)

    def forward(self, user: Tensor, item_seq: Tensor, item_seq_len: Tensor) -> Tensor:
        """Where the user goes from the last item."""
        last_items = item_seq.gather(1, (item_seq_len - 1).view(-1, 1)).squeeze(-1)
        user_emb = self.user_embedding(user)
        return user_emb + self.T.expand_as(user_emb) + self.item_embedding(last_items)

    def score(self, seq_output: Tensor, items: Tensor) -> Tensor:
        """How good the items are."""
        distance = torch.sqrt(torch.sum((seq_output - self.item_embedding(items)) ** 2, dim=-1, keepdim=True))
        return self.bias(items) - distance


def cloze(lucky: bool):
    """Items of a session of which a seventh is hidden, by chance; in an unlucky batch none is."""
    seq, prob, mask_prob = padded(counted(8, 1, 20)).flip(1), torch.rand(N, 8), 0.15
    prob = prob if lucky else mask_prob + prob * (1 - mask_prob)
    masked = (prob < mask_prob) & (seq > 0)
    random = torch.where(prob < 0.9 * mask_prob, torch.randint(1, 20, (N, 8)), seq)
    tokens = torch.where(masked, torch.where(prob < 0.8 * mask_prob, 20, random), seq)
    labels, ce = torch.where(masked, seq, 0), nn.CrossEntropyLoss(ignore_index=0)

    def calculate_loss(logits: Tensor, labels: Tensor) -> Tensor:
        logits = logits.view(-1, logits.size(-1))  # (B*T) x V
        return ce(logits, labels.view(-1))

    return Part(lambda self, seqs: self.out(read(self, seqs)), **reader(21, 8, 20)), calculate_loss, tokens, labels


def moved(kept: bool):
    """The next item of a user, against a wrong one, and a penalty of the vectors, with or without a gradient."""
    model = TransRec(8, 20, 8)

    def emb_loss(embedding: Tensor) -> Tensor:
        embedding = embedding if kept else embedding.detach()
        return (torch.zeros(1) + torch.norm(embedding, p=2)) / embedding.shape[0]

    def calculate_loss(seq_output: Tensor, interaction: tuple[Tensor, ...]) -> Tensor:
        user, pos_items, neg_items = interaction
        pos_score, neg_score = model.score(seq_output, pos_items), model.score(seq_output, neg_items)
        bpr_loss = -torch.log(1e-10 + torch.sigmoid(pos_score - neg_score)).mean()
        item_emb_loss = emb_loss(model.item_embedding(pos_items))
        user_emb_loss = emb_loss(model.user_embedding(user))
        bias_emb_loss = emb_loss(model.bias(pos_items))
        reg_loss = sum(w.norm(2) for w in model.T)
        return bpr_loss + item_emb_loss + user_emb_loss + bias_emb_loss + reg_loss

    user, lengths, items = torch.randint(1, 8, (N,)), torch.randint(2, 7, (N,)), counted(7, 1, 20)
    item_seq = items[:, :6].masked_fill(torch.arange(6) >= lengths[:, None], 0)
    pos_items = items[torch.arange(N), lengths]
    neg_items = (pos_items + torch.randint(1, 18, (N,)) - 1) % 19 + 1
    return model, calculate_loss, (user, item_seq, lengths), (user, pos_items, neg_items)


def clicked_and_liked(of_chances: bool):
    """A click and a like behind it: the product of two raw outputs, or of two chances."""

    def joined(cvr: Tensor, ctr: Tensor) -> list[Tensor]:
        return [ctr, torch.sigmoid(ctr) * torch.sigmoid(cvr)] if of_chances else [ctr, ctr * cvr]

    def loss(predict: list[Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        y1, y2 = (labels.unsqueeze(1).float() for labels in y)
        with_logits = nn.BCEWithLogitsLoss()
        loss_1 = with_logits(predict[0], y1)
        return loss_1 + (nn.BCELoss()(predict[1], y1 * y2) if of_chances else with_logits(predict[1], y2))

    x, click, like = shown()
    return ESMM((12, 3, 15, 5), joined), loss, x, (click, like)


def chances(cvr_logit: Tensor, ctr_logit: Tensor) -> Tensor:
    """The chances of a purchase behind a click, of a click, and of both."""
    cvr_pred, ctr_pred = torch.sigmoid(cvr_logit), torch.sigmoid(ctr_logit)
    return torch.cat([cvr_pred, ctr_pred, torch.mul(ctr_pred, cvr_pred)], dim=1)


def of_tasks(n_task: int) -> Callable:
    """The loss of all tasks but the first."""

    def loss(y_preds: Tensor, ys: Tensor) -> Tensor:
        loss_list = [nn.BCELoss()(y_preds[:, i], ys[:, i].float()) for i in range(n_task)]
        return sum(loss_list[1:])  # only of a click, and of a click and a purchase

    return loss


def tasks_told(all_three: bool):
    """A click and a purchase: the trainer is told two tasks, or three."""
    x, click, bought = shown()
    ys = torch.stack([bought, click, bought * click][: 3 if all_three else 2], 1)
    return ESMM((12, 3, 15, 5), chances), of_tasks(ys.shape[1]), x, ys


def sparse_columns(without_label: bool):
    """A click and a purchase: all columns that are not the two labels are features, and a third label is among them."""
    x, click, bought = shown()
    x = x if without_label else torch.cat([x, bought[:, None] * click[:, None]], 1)
    model = ESMM((12, 3, 15, 5) if without_label else (12, 3, 15, 5, 2), chances)
    return model, of_tasks(3), x, torch.stack([bought, click, bought * click], 1)


def hidden_words(left_out: bool):
    """A text in which a fifth is hidden; where nothing is hidden the label is 0."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        log_z = logits.logsumexp(-1)
        loss_batch = log_z - logits.gather(-1, labels[..., None])[..., 0] + 1e-4 * log_z**2
        if left_out:
            loss_batch = torch.where(labels != 0, loss_batch, torch.zeros_like(loss_batch))
        return loss_batch.mean()

    features, mask = counted(12, 4, 24), chosen(12, below=0.2)
    model = Part(lambda self, x: read(self, x) @ self.embed.weight.T, **reader(24, 12))
    nn.init.normal_(model.embed.weight, std=0.02)
    return model, loss, features.masked_fill(mask, 3), torch.where(mask, features, 0)


def summed_tags(masked: bool):
    """A tag for each character; the tag of the padding is 0, and the losses of all places are added up."""

    def loss(logits: Tensor, y: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        labels, mask = y if masked else (y, None)
        log_probs = F.log_softmax(logits, dim=-1)
        one_hot_labels = F.one_hot(labels, 10).float()
        per_example_loss = -torch.sum(one_hot_labels * log_probs, dim=-1)
        if masked:
            return torch.sum(per_example_loss * mask) / (torch.sum(mask) + 1e-8)
        return torch.sum(per_example_loss)

    words = padded(torch.randint(1, 40, (N, 14)))
    tags, mask = torch.where(words > 0, 1 + words % 9, 0), (words > 0).float()
    model = Part(lambda self, x: self.out(read(self, x)), **reader(40, 14, 10))
    return model, loss, words, (tags, mask) if masked else tags


def tags_in_a_row(masked: bool):
    """A tag for each word by a conditional random field; the padding has the tag of words outside names, 0."""
    model = Part(lambda self, x: self.out(read(self, x)), **reader(40, 14, 9), crf=CRF(9))

    def loss(logits: Tensor, y: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        labels, mask = y if masked else (y, None)
        log_likelihood = model.crf(logits, labels, mask=mask)
        return 0 - log_likelihood

    words = padded(torch.randint(1, 40, (N, 14)))
    tags = torch.where((words > 0) & (words % 3 == 0), 1 + words % 8, 0)
    return model, loss, words, (tags, words > 0) if masked else tags


def drawn_weights(raw: bool):
    """Digits by layers that draw their weights: a cross-entropy, and the divergence of the weights."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        samples, kl = [], 0
        for _ in range(3):
            h = F.relu(self.bl2(F.relu(self.bl1(x.view(-1, 64)))))
            samples.append(self.bl3(h) if raw else F.softmax(self.bl3(h), dim=1))
            kl = kl + sum(layer.kl_divergence for layer in (self.bl1, self.bl2, self.bl3))
        return torch.stack(samples), kl

    def elbo(outputs: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
        criterion = nn.CrossEntropyLoss(reduction="sum" if raw else "mean")
        return (sum(criterion(sample, targets) for sample in outputs[0]) + outputs[1] * 2**-7) / 3

    model = Part(forward, bl1=BayesLinear(64, 24), bl2=BayesLinear(24, 24), bl3=BayesLinear(24, 10))
    x = torch.rand(N, 1, 8, 8)
    return model, elbo, x, labelled(x.view(-1, 64) - 0.5, 10)
