"""Set-ups of the seventeenth round: labels, padding, teachers and pairs; each is built with its slip or without."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_parts import Part
from doctor_exam.round_seventeen_projects_parts import (
    AB,
    AT,
    BCEDiceJaccardLoss,
    DistanceNetwork,
    FaceModel,
    MemoryStore,
    N,
    OnlineContrastiveLoss,
    criterion_alternative_l2,
    encoder,
    hard_pairs,
    kinds,
    l2_dist,
    max_per_row,
    sentences,
    shown,
    stages,
)


def digits(linear: bool):
    """Pictures of digits, ten outputs, and a softmax cross-entropy written by hand with one-hot labels."""
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.LocalResponseNorm(5), nn.Dropout(0.2),
              nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.LocalResponseNorm(5), nn.Dropout(0.2),
              nn.Flatten(), nn.Linear(144, 32), nn.Tanh(), nn.Dropout(0.2), nn.Linear(32, 64), nn.Tanh(),
              nn.Dropout(0.2), nn.Linear(64, 10)]  # fmt: skip
    x, y = kinds(10, 1, 12, 12, samples=40)
    net = nn.Sequential(*layers) if linear else nn.Sequential(*layers, nn.Softmax(dim=1))
    return net, lambda z, hot: torch.mean(-torch.sum(hot * F.log_softmax(z, dim=1), dim=1)), x, F.one_hot(y, 10).float()


def matching(raw: bool):
    """Five supporting samples with their labels; a sample is of the class of those that it is like."""

    def forward(self: Part, images: Tensor, one_hot: Tensor, target: Tensor) -> Tensor:
        encoded_images = [self.g(images[:, i]) for i in range(images.size(1))]
        encoded_images.append(self.g(target))
        outputs = torch.stack(encoded_images)
        similarities = self.dn(outputs[:-1], outputs[-1]).t()
        if not raw:
            similarities = F.softmax(similarities, dim=1)
        return similarities.unsqueeze(1).bmm(one_hot).squeeze()

    every, sets = torch.randn(12, 8), torch.stack([torch.randperm(12)[:5] for _ in range(N)])
    order, y = torch.stack([torch.randperm(5) for _ in range(N)]), torch.randint(0, 5, (N,))
    wanted = sets[torch.arange(N), (order == y[:, None]).float().argmax(1)]
    x = every[sets] + 0.3 * torch.randn(N, 5, 8), F.one_hot(order, 5).float(), every[wanted] + 0.3 * torch.randn(N, 8)
    g = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
    return Part(forward, g=g, dn=DistanceNetwork()), F.cross_entropy, x, y


def read_by_a_fixed_model(logits: bool):
    """A last layer on top of a language model that stays as it is and stands outside the network."""
    words, kind, places, pretrained = nn.Embedding(30, 16), nn.Embedding(2, 16), torch.randn(10, 16), encoder().eval()

    def read(ids: Tensor, attention: Tensor, types: Tensor) -> Tensor:
        with torch.no_grad():
            out = pretrained(words(ids) + kind(types) + places, src_key_padding_mask=attention == 0)
        return out[:, 0]

    def forward(self: Part, ids: Tensor, attention: Tensor, types: Tensor) -> Tensor:
        out = self.fc(read(ids, attention, types))
        return out if logits else out.softmax(dim=1)

    ids, attention = torch.randint(1, 30, (N, 10)), (torch.arange(10) < torch.randint(5, 11, (N, 1))).long()
    x = ids * attention, attention, (torch.arange(10) > 3).long().expand(N, 10) * attention
    told = read(*x)[:, :3].sum(1)
    return Part(forward, fc=nn.Linear(16, 2)), nn.CrossEntropyLoss(), x, (told > told.median()).long()


def reviews(logits: bool):
    """Reviews and their sentiment, one-hot, by a small encoder; the loop squashes what the model says."""

    def forward(self: Part, ids: Tensor) -> Tensor:
        out = self.encoder(self.words(ids) + self.places)
        return self.classifier(self.dropout(torch.tanh(self.pooler(out[:, 0]))))

    def loss(outputs: Tensor, sentiment: Tensor) -> Tensor:
        outputs = outputs if logits else F.softmax(outputs, dim=1)
        return nn.CrossEntropyLoss()(outputs, torch.max(sentiment.float(), 1)[1])

    (ids, y), places = sentences(), nn.Parameter(0.1 * torch.randn(10, 16))
    model = Part(forward, words=nn.Embedding(30, 16), places=places, encoder=encoder(), pooler=nn.Linear(16, 16),
                 dropout=nn.Dropout(0.1), classifier=nn.Linear(16, 2))  # fmt: skip
    nn.init.xavier_normal_(model.classifier.weight)
    return model, loss, ids, F.one_hot(y, 2)


def counting_words(_: bool):
    """Words that count up, a fifth hidden by 1; the label is the word where one is hidden and 0 elsewhere."""

    def forward(self: Part, ids: Tensor) -> Tensor:
        return self.out(self.encoder(self.words(ids) + self.places))

    def loss(logits: Tensor, labels: Tensor, z_loss: float = 1e-4) -> Tensor:
        log_z = logits.logsumexp(-1)
        loss_batch = log_z - logits.gather(-1, labels[..., None])[..., 0] + z_loss * log_z.square()
        return loss_batch.mean()

    words = 2 + (torch.randint(0, 20, (N, 1)) + torch.arange(12)) % 20
    hidden, places = torch.rand(N, 12) < 0.2, nn.Parameter(0.1 * torch.randn(12, 16))
    model = Part(forward, words=nn.Embedding(22, 16), places=places, encoder=encoder(), out=nn.Linear(16, 22))
    return model, loss, words.masked_fill(hidden, 1), words.masked_fill(~hidden, 0)


def entities(num_labels: int, length: int, masked: bool):
    """Sentences filled up with 0, and a tag for every word; the tag 0 is that of the filling."""

    def forward(self: Part, input_ids: Tensor, input_mask: Tensor) -> Tensor:
        out = self.encoder(self.words(input_ids) + self.places, src_key_padding_mask=input_mask == 0)
        return self.out(self.dropout(out).reshape(-1, 16)).view(-1, length, num_labels)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        log_probs = F.log_softmax(logits, dim=-1)
        one_hot_labels = F.one_hot(labels, num_labels).float()
        return torch.sum(-torch.sum(one_hot_labels * log_probs, dim=-1))

    def sequence_loss(logits: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        each = F.cross_entropy(logits.transpose(1, 2), y[0], reduction="none")
        return (each * y[1]).sum() / (y[1].sum() + 1e-12)

    mask = (torch.arange(length) < torch.randint(3, length + 1, (N, 1))).long()
    ids, places = torch.randint(1, 30, (N, length)) * mask, nn.Parameter(0.1 * torch.randn(length, 16))
    tags = (1 + ids % (num_labels - 1)) * mask
    model = Part(forward, words=nn.Embedding(30, 16), places=places, encoder=encoder(), dropout=nn.Dropout(0.1),
                 out=nn.Linear(16, num_labels))  # fmt: skip
    return model, sequence_loss if masked else loss, (ids, mask), (tags, mask.float()) if masked else tags


def attention_of_a_teacher(counts: bool):
    """A classifier of pictures that shall look where its teacher looks, at three depths."""
    at, (x, y) = AT(), kinds(4, 1, 8, 8)
    with torch.no_grad():
        maps = stages(8)(x)[:3]

    def loss(out: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
        at_loss = F.cross_entropy(out[3], target[0])
        for of_student, of_teacher in zip(out[:3], target[1:], strict=True):
            if counts:
                at_loss = at_loss + at(of_student, of_teacher.detach()) * 500
            else:
                at_loss = at_loss + at(of_student, of_teacher).detach() * 500
        return at_loss

    return stages(8), loss, x, (y, *maps)


def sketches_and_photos(learns: bool):
    """Sketches, then photos, of six things; a photo shall be near the centre of the sketches of its thing."""

    def forward(self: Part, x: Tensor, tag: Tensor) -> tuple[Tensor, Tensor]:
        features = self.second(self.first(x).relu() * torch.sigmoid(self.gate(tag)))
        return self.last(features.relu()), features

    def loss(out: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        (output, features), half, memory = out, len(labels) // 2, MemoryStore(6, 3)
        memory.add_entries(features[:half].detach(), labels[:half])
        queries = features[half:] if learns else features[half:].detach()
        return F.cross_entropy(output, labels) + 1.0 - memory.memory_loss(queries, labels[half:])[0]

    (x, y), tag = kinds(6, 8, samples=48), (torch.arange(48) >= 24).float()[:, None]
    model = Part(forward, first=nn.Linear(8, 32), gate=nn.Linear(1, 32), second=nn.Linear(32, 16),
                 last=nn.Linear(16, 6))  # fmt: skip
    return model, loss, (x + tag * torch.randn(8), tag), y


def cells(squashed: bool):
    """Pictures of cells and their masks, by a cross-entropy of logits, a dice and a Jaccard index."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
    return net, BCEDiceJaccardLoss({"bce": 0.6, "dice": 0.2, "jacc": 0.2}, squashed), *shown(24, 12, 3)


def pairs(smallest: bool):
    """Codes of the samples of six classes, by all pairs of a class and as many hard pairs of two classes."""
    x, y = kinds(6, 8, samples=36)
    loss = OnlineContrastiveLoss(1.0, lambda embeddings, labels: hard_pairs(embeddings, labels, smallest))
    return nn.Sequential(nn.Linear(8, 32), nn.PReLU(), nn.Linear(32, 2)), loss, x, y


def faces(in_graph: bool):
    """Triplets of faces: those that are not apart yet are chosen, for a triplet loss and for whose they are."""

    def selected(out: Tensor, chosen: Tensor) -> Tensor:
        return out[chosen] if in_graph else torch.from_numpy(out.data.numpy()[chosen.numpy()])

    def loss(out: list[tuple[Tensor, Tensor]], y: tuple[Tensor, Tensor]) -> Tensor:
        (a, cls_a), (p, cls_p), (n, cls_n) = out
        hard = torch.nonzero(l2_dist(a, n) - l2_dist(a, p) < 0.5)[:, 0]
        if len(hard) == 0:
            return 0 * a.sum()
        a, p, n = selected(a, hard), selected(p, hard), selected(n, hard)
        triplet_loss = torch.mean(torch.clamp(0.5 + l2_dist(a, p) - l2_dist(a, n), min=0.0))
        scores = torch.cat([cls_a[hard], cls_p[hard], cls_n[hard]])
        return F.cross_entropy(scores, torch.cat([y[0][hard], y[0][hard], y[1][hard]])) + triplet_loss

    whose, y = torch.randn(5, 8), torch.arange(40) % 5
    other = (y + torch.randint(1, 5, (40,))) % 5
    x = tuple(whose[of] + 1.5 * torch.randn(40, 8) for of in (y, y, other))
    return FaceModel(8, 5), loss, x, (y, other)


def hardest(lowest: float | None):
    """Two classes: for each sample the own one that it is least like and the other one that it is most like."""

    def loss(out: Tensor, y: Tensor) -> Tensor:
        mat, same = F.normalize(out) @ F.normalize(out).t(), y[:, None] == y
        p, some = max_per_row(-mat.detach(), same & ~torch.eye(len(y)).bool(), -torch.inf)
        n, others = max_per_row(mat.detach(), ~same, lowest)
        a = torch.nonzero(some & others)[:, 0]
        return F.relu(mat[a, n[a]] - mat[a, p[a]] + 0.6).mean()

    y, way = torch.arange(24) % 2, torch.ones(8)
    x = (2 * y[:, None] - 1) * way + 0.8 * torch.randn(24, 8)
    return nn.Linear(8, 4, bias=False), loss, x, y


def neighbours(filled: float):
    """Pieces of a series and pieces beside them: nearer than any other piece of the batch by a margin."""

    def forward(self: Part, anchors: Tensor, positives: Tensor) -> tuple[Tensor, Tensor]:
        return F.normalize(self.net(anchors), dim=1), F.normalize(self.net(positives), dim=1)

    def loss(z: tuple[Tensor, Tensor], _: None) -> Tensor:
        sim_ap = z[0] @ z[1].T
        pos_sims, sim_ap_f = sim_ap.diag(), sim_ap.clone()
        sim_ap_f.diagonal().fill_(filled)
        hard_neg_dists, _ = torch.max(1 - sim_ap_f, dim=1)
        return F.relu(1 - pos_sims - hard_neg_dists + 0.5).mean()

    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
    anchors = 2 + torch.randn(N, 8)
    return Part(forward, net=net), loss, (anchors, anchors + 0.3 * torch.randn(N, 8)), None


def boundaries(of_student: bool):
    """A student whose units shall be on where those of a wider teacher are, through a layer between the two."""
    first, second = nn.Conv2d(1, 10, 3, padding=1), nn.Conv2d(10, 10, 3, padding=1)
    x = torch.randn(N, 1, 6, 6)
    with torch.no_grad():
        maps = first(x), second(first(x).relu())

    def loss(out: list[tuple[Tensor, Tensor]], _: None) -> Tensor:
        each = [criterion_alternative_l2(std, tch) * 2**i for i, (std, tch) in enumerate(out)]
        return torch.stack(each).sum() * 3e-3

    return AB(of_student), loss, (x, *maps), None


def notes_to_a_beat(over_steps: bool):
    """A beat read by an LSTM, and the notes to it one after the other, with an attention to the whole beat."""

    def context(self: Part, encode_output: Tensor, hidden_state: Tensor) -> Tensor:
        batch_size, seq_len, _ = encode_output.shape
        hidden_state = hidden_state.permute(1, 0, 2).repeat(1, seq_len, 1)
        attn = self.attn2(F.leaky_relu(self.attn1(torch.concat((hidden_state, encode_output), dim=-1))))
        return torch.bmm(self.activation(attn).view(batch_size, 1, seq_len), encode_output)

    def forward(self: Part, x: Tensor, tgt: Tensor) -> Tensor:
        predicted_notes, (encode_output, _) = torch.zeros(*x.shape[:2], 8), self.encoder(self.fc(x))
        memory = torch.zeros(1, len(x), 16), torch.zeros(1, len(x), 16)
        for t in range(x.shape[1]):
            note = torch.cat((self.notes(tgt[:, t : t + 1]), context(self, encode_output, memory[0])), dim=2)
            output, memory = self.decoder(self.dropout(F.relu(self.combine(note))), memory)
            predicted_notes[:, t : t + 1, :] = self.out(output)
        return predicted_notes

    x, y = torch.randn(N, 6, 2), [torch.randint(0, 8, (N,))]
    for t in range(6):
        y.append((x[:, t, 0] > 0) + 2 * (x[:, t, 1] > 0) + 4 * (y[-1] % 2))
    model = Part(forward, fc=nn.Linear(2, 8), encoder=nn.LSTM(8, 8, batch_first=True, bidirectional=True),
                 attn1=nn.Linear(32, 16), attn2=nn.Linear(16, 1), activation=nn.Softmax(dim=1 if over_steps else 2),
                 notes=nn.Embedding(8, 8), combine=nn.Linear(24, 16), dropout=nn.Dropout(0.1),
                 decoder=nn.LSTM(16, 16, batch_first=True), out=nn.Linear(16, 8))  # fmt: skip
    y = torch.stack(y, 1)
    return model, lambda z, y: F.cross_entropy(z.reshape(-1, 8), y.reshape(-1)), (x, y[:, :-1]), y[:, 1:]
