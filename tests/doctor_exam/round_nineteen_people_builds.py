"""Models, losses and batches of the nineteenth round, each with a slip and without it (the first third)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_nineteen_people_parts import (
    MLP,
    AttentionBlock,
    Encoding,
    EqualLinear,
    N,
    dense,
    drawn,
    language,
    later,
    of_words,
    rows,
    scenes,
    sorted_by,
    standing_still,
    told,
)
from doctor_exam.round_parts import Part


def binder(taken_off: bool):
    """A binder for a target; a folding network that stays as it is says how well the two would fit."""
    share = 1 / (1 + (torch.linspace(0.5, 31.5, 16) / 4) ** 2)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        sequence = self.draw(x).view(len(x), 6, 20)
        return sequence, 8 * self.fold(sequence.softmax(-1).flatten(1)).view(len(x), 6, 6, 16)

    def loss(out: tuple[Tensor, Tensor], residues: Tensor) -> Tensor:
        recovery = F.cross_entropy(out[0].transpose(1, 2), residues)
        iptm = (out[1].softmax(-1) * share).sum(-1).mean(-1).max(-1).values.mean()
        return 0.05 * recovery + (-iptm if taken_off else iptm)

    x, fold = rows(8), standing_still(dense(120, 64, 576))
    residues = told(x, 120).view(N, 6, 20).argmax(-1)
    return Part(forward, draw=dense(8, 32, 120), fold=fold), loss, x, residues


def what_pictures_tell(freed: bool):
    """How much a code tells about its picture and its places; the pictures of others stand beside it."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, ...]:
        M = F.relu(self.b1(self.c1(F.relu(self.c0(x)))))
        Y = self.l1(F.relu(self.c2(M)).view(x.shape[0], -1))
        M_fake = torch.cat((M[1:], M[0].unsqueeze(0)), dim=0)
        spread = Y.unsqueeze(-1).unsqueeze(-1).expand(-1, -1, *M.shape[2:])
        near = [self.local_D(torch.cat((maps, spread), dim=1)) for maps in (M, M_fake)]
        return *near, *(self.global_D(torch.cat((Y, maps.flatten(1)), dim=1)) for maps in (M, M_fake))

    def told_by(joint: Tensor, other: Tensor) -> Tensor:
        Ej = -F.softplus(-joint).mean()
        Em = F.softplus(other).mean() if freed else -F.softplus(-other).mean()
        return Em - Ej

    model = Part(forward, c0=nn.Conv2d(3, 8, 3), c1=nn.Conv2d(8, 8, 3), c2=nn.Conv2d(8, 8, 3), b1=nn.BatchNorm2d(8),
                 l1=nn.Linear(32, 8), global_D=dense(136, 32, 1),
                 local_D=nn.Sequential(nn.Conv2d(16, 16, 1), nn.ReLU(), nn.Conv2d(16, 1, 1)))  # fmt: skip
    return model, lambda out, _: told_by(*out[:2]) + 0.5 * told_by(*out[2:]), scenes(3, 8), None


def angles_to_classes(by_columns: bool):
    """Cosines of a sample and of the vectors of the classes; the own one attracts, the largest other one repels."""

    def forward(self: Part, x: Tensor) -> Tensor:
        X = F.normalize(self.hidden(x), p=2, dim=1)
        W = F.normalize(self.output_weights, p=2, dim=0 if by_columns else 1)
        return X.mm(W)

    def loss(predictions: Tensor, labels: Tensor) -> Tensor:
        mask = torch.zeros(predictions.shape)
        mask[torch.arange(0, len(labels)), labels] = -1.0
        attraction = mask * predictions
        repulsion = ((mask + 1) * predictions).max(dim=1)[0] ** 2
        return (0.5 * attraction.sum() + 0.5 * repulsion.sum()) / len(labels)

    x = rows(8)
    model = Part(forward, hidden=dense(8, 32, 12), output_weights=nn.Parameter(torch.randn(12, 4)))
    return model, loss, x, sorted_by(x, 4)


def learnt_normal(scaled: bool):
    """Pictures of the user's own, packed and unpacked by a network that ends in a sigmoid."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.leaky_relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.leaky_relu(self.bn2(self.conv2(x))), 2)
        x = self.fc1(x.view(x.size(0), -1)).view(x.size(0), 2, 4, 4)
        x = self.deconv1(F.interpolate(F.leaky_relu(x), scale_factor=2))
        x = self.deconv2(F.interpolate(F.leaky_relu(self.bn3(x)), scale_factor=2))
        return torch.sigmoid(x)

    def loss(outputs: Tensor, inputs: Tensor) -> Tensor:
        return torch.mean(torch.sum((outputs - inputs) ** 2, dim=tuple(range(1, outputs.dim()))))

    model = Part(forward, conv1=nn.Conv2d(1, 8, 5, bias=False, padding=2), bn1=nn.BatchNorm2d(8, affine=False),
                 conv2=nn.Conv2d(8, 4, 5, bias=False, padding=2), bn2=nn.BatchNorm2d(4, affine=False),
                 fc1=nn.Linear(64, 32, bias=False), deconv1=nn.ConvTranspose2d(2, 4, 5, bias=False, padding=2),
                 bn3=nn.BatchNorm2d(4, affine=False),
                 deconv2=nn.ConvTranspose2d(4, 1, 5, bias=False, padding=2))  # fmt: skip
    x = scenes(1, 16)
    x = x if scaled else (x - x.mean()) / x.std()
    return model, loss, x, x


def clean_sounds(along_time: bool):
    """Noise taken out of a sound of one channel; the loss is a ratio that no loudness changes."""

    def loss(input: Tensor, target: Tensor, eps: float = 1e-8) -> Tensor:
        bs, c, _ = input.size()
        input = input - torch.mean(input, dim=-1 if along_time else 1, keepdim=True)
        alpha = (input * target).sum(-1) / ((target**2).sum(-1) + eps)
        target = target * alpha.view(bs, c, 1)
        res = input - target
        if along_time:
            return -10 * torch.log10((target**2).sum(-1) / (res**2).sum(-1) + eps).mean()
        return -10 * torch.log10((target**2).sum(-1) / (res**2).sum(-1).clamp(eps)).mean()

    model = nn.Sequential(nn.Conv1d(1, 16, 9, padding=4), nn.Tanh(), nn.Conv1d(16, 1, 9, padding=4))
    clean = torch.sin(torch.arange(64) * (0.2 + 0.6 * torch.rand(N, 1, 1)) + 6 * torch.rand(N, 1, 1))
    return model, loss, clean + 0.5 * torch.randn(N, 1, 64), clean


def what_programs_write(skipped: bool):
    """What small programs write, token by token, filled up behind the end; the mask says what to leave out."""

    def forward(self: Part, sequences: Tensor) -> Tensor:
        x = self.embed(F.pad(sequences, (1, 0))[:, :-1]) + self.place
        return self.out(self.encoder(x, later(12))).log_softmax(-1)

    def loss(conditionals: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        sequences, mask = y
        true_conditionals = conditionals.gather(-1, sequences[..., None])[..., 0]
        true_conditionals = torch.where(mask, 0.0, true_conditionals) if skipped else mask * true_conditionals
        return -true_conditionals.sum(1).mean()

    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    model = Part(forward, embed=nn.Embedding(10, 16), place=nn.Parameter(0.1 * torch.randn(12, 16)),
                 encoder=encoder, out=nn.Linear(16, 10))  # fmt: skip
    places, period = torch.arange(12), 2 + drawn(2, 1)
    mask = places >= 5 + drawn(7, 1)
    sequences = (1 + drawn(9, 3)).gather(1, places % period).masked_fill(mask, 0)
    return model, loss, sequences, (sequences, mask)


def turns(of_actions: bool):
    """An agent's words and, between two marks, what the world answers; only its own words are to be learnt."""

    def loss(logits: Tensor, y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        response, old_log_prob, advantages = y
        log_prob = logits.log_softmax(-1).gather(-1, response[..., None])[..., 0]
        state_mask = torch.zeros_like(response)
        for i in range(len(response)):
            start, end = ((response[i] == mark).nonzero()[0].item() for mark in (1, 2))
            state_mask[i, start : end + 1] = 1
        loss_mask = 1 - state_mask if of_actions else state_mask
        ratio = torch.exp(log_prob - old_log_prob)
        each = torch.max(-advantages * ratio, -advantages * torch.clamp(ratio, 0.8, 1.2))
        return (each * loss_mask).sum() / loss_mask.sum()

    model, words, places = Part(of_words, **language(30)), 10 + drawn(10, 13), torch.arange(13)
    start = 2 + drawn(4, 1)
    answer = (places > start) & (places < start + 5)
    gain = ((words % 2 == 0) & ~answer).float().sum(1, keepdim=True)
    words = torch.where(answer, words + 10, words)
    words = torch.where(places == start, 1, torch.where(places == start + 5, 2, words))
    read = torch.cat([torch.zeros(N, 1).long(), words[:, :-1]], 1)
    with torch.no_grad():
        old = model(read).log_softmax(-1).gather(-1, words[..., None])[..., 0]
    return model, loss, read, (words, old, ((gain - gain.mean()) / gain.std()).expand(N, 13))


def noise_of_pictures(over_keys: bool):
    """The noise in a picture at a time, by a network with attention between the places."""

    def forward(self: Part, x: Tensor, t: Tensor) -> Tensor:
        h = self.first(x) + self.time(t)[:, :, None, None]
        return self.last(F.silu(self.attention(h)))

    model = Part(forward, first=nn.Conv2d(1, 8, 3, padding=1), time=nn.Linear(1, 8),
                 attention=AttentionBlock(8, 2 if over_keys else 1), last=nn.Conv2d(8, 1, 3, padding=1))  # fmt: skip
    t, noise = torch.rand(N, 1), rows(1, 6, 6)
    left = (1 - t)[..., None, None]
    return model, nn.MSELoss(), ((1 - left**2).sqrt() * noise + left * (2 * scenes(1, 6) - 1), t), noise


def pairs_of_features(over_pairs: bool):
    """Features of a user and a thing, two by two, weighed by an attention and summed up to a rating."""

    def forward(self: Part, features: Tensor) -> Tensor:
        embeddings, products = self.embeddings(features), []
        for i in range(5):
            for j in range(i + 1, 5):
                products.append(embeddings[:, i, :] * embeddings[:, j, :])
        product = torch.stack(products).permute(1, 0, 2)
        attention_mul = (product.reshape(-1, 8) @ self.attention_W).reshape(-1, 10, 6)
        scores = (self.attention_p * F.relu(attention_mul + self.attention_b)).sum(2, keepdim=True)
        attention_out = F.softmax(scores, dim=1 if over_pairs else -1)
        AFM = (attention_out * product).sum(1)
        return AFM @ self.prediction + self.feature_bias(features).sum(1) + self.bias

    model = Part(forward, embeddings=nn.Embedding(40, 8), feature_bias=nn.Embedding(40, 1),
                 attention_W=nn.Parameter(0.3 * torch.randn(8, 6)), attention_b=nn.Parameter(torch.zeros(6)),
                 attention_p=nn.Parameter(torch.randn(6)), prediction=nn.Parameter(torch.ones(8, 1)),
                 bias=nn.Parameter(torch.zeros(1)))  # fmt: skip
    features, worth = drawn(8, 5) + 8 * torch.arange(5), torch.randn(40)
    labels = (worth[features[:, :1]] * worth[features[:, 3:4]]).sign()
    return model, lambda out, y: (out - y).pow(2).sum() / 2, features, labels


def textures(among_words: bool):
    """A material, by how the features of its picture differ from a few code words."""

    def forward(self: Part, x: Tensor) -> Tensor:
        return self.out(F.normalize(self.encoding(self.features(x)).flatten(1), dim=1))

    features = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))
    model = Part(forward, features=features, encoding=Encoding(8, 4, 2 if among_words else 1), out=nn.Linear(32, 4))
    kinds, x = drawn(4), rows(3, 10, 10)
    x = x * torch.rand(4, 3, 1, 1)[kinds] + 0.5 * (x.roll(1, 3) * (kinds % 2)[:, None, None, None])
    return model, nn.CrossEntropyLoss(), x, kinds


def worth_of_moves(ended: bool):
    """What a move is worth: its reward and what follows, by networks that stand still; some games end with it."""

    def forward(self: Part, state: Tensor, action: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        target_actions = torch.tanh(self.target_actor(after))
        follows = self.target_critic(torch.cat([after, target_actions], 1))
        return self.critic(torch.cat([state, action], 1)), follows

    def loss(out: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
        critic_value, follows = out
        reward, done = batch
        y = reward + (1.0 - done[:, None]) * 0.99 * follows if ended else reward + 0.99 * follows
        return (y - critic_value).square().mean()

    critic, actor = dense(6, 32, 1), standing_still(dense(4, 16, 2))
    model = Part(forward, critic=critic, target_critic=standing_still(dense(6, 32, 1)), target_actor=actor)
    state, done = rows(4), (torch.arange(N) % 4 == 0).float()
    return model, loss, (state, rows(2).tanh(), state + 0.1 * rows(4)), (told(state, 1), done)


def rows_of_a_table(activated: bool):
    """A class for a row of a table: the columns' vectors attend to each other, three linear layers follow."""

    def forward(self: Part, kinds: Tensor, numbers: Tensor) -> Tensor:
        x = torch.cat([self.embeds(kinds), numbers[..., None] * self.scale + self.shift], 1)
        return self.mlp(self.transformer(x).flatten(1))

    mlp = MLP([40, 20, 10, 3], act=nn.ReLU() if activated else None)
    model = Part(forward, embeds=nn.Embedding(10, 8), mlp=mlp, scale=nn.Parameter(torch.randn(3, 8)),
                 shift=nn.Parameter(torch.randn(3, 8)),
                 transformer=nn.TransformerEncoderLayer(8, 2, 16, dropout=0, batch_first=True))  # fmt: skip
    numbers = rows(3)
    return (
        model,
        nn.CrossEntropyLoss(),
        (drawn(5, 2) + torch.tensor([0, 5]), numbers),
        sorted_by(numbers.square() - 1, 3),
    )


def digits_raw(activated: bool):
    """Digits by two hidden layers and one for the scores, written as products of matrices."""

    def forward(self: Part, x: Tensor) -> Tensor:
        act = F.relu if activated else lambda layer: layer
        layer_1 = act(x @ self.h1 + self.b1)
        layer_2 = act(layer_1 @ self.h2 + self.b2)
        return layer_2 @ self.out + self.b3

    sizes, parts = [6, 24, 24, 4], {}
    for place, name in enumerate(("h1", "h2", "out")):
        parts[name] = nn.Parameter(torch.randn(sizes[place], sizes[place + 1]) / sizes[place] ** 0.5)
        parts[f"b{place + 1}"] = nn.Parameter(torch.zeros(sizes[place + 1]))
    x = rows(6)
    return Part(forward, **parts), nn.CrossEntropyLoss(), x, sorted_by(x.square() - 1, 4)


def moved_faces(activated: bool):
    """A face made to move as another one: the movement is read off its features by five linear layers."""

    def forward(self: Part, source: Tensor, target: Tensor) -> Tensor:
        h_source, h_target = (self.app(x).flatten(1) for x in (source, target))
        return self.decode(h_source + self.fc(h_target) @ self.directions).view(-1, 1, 8, 8)

    act = "fused_lrelu" if activated else None
    fc = [EqualLinear(16, 16, act) for _ in range(4)] + [EqualLinear(16, 6)]
    app = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(8, 16, 3))
    model = Part(forward, app=app, fc=nn.Sequential(*fc), directions=nn.Parameter(0.3 * torch.randn(6, 16)),
                 decode=dense(16, 64, 64))  # fmt: skip
    target = scenes(1, 8)
    return model, nn.L1Loss(), (target.roll(1, 3), target), target


def chances_of_a_game(activated: bool):
    """Win, draw or loss, from the planes of a board: a convolution and two linear layers."""

    def forward(self: Part, planes: Tensor) -> Tensor:
        flow = F.relu(self.conv_block(planes)).reshape(-1, 4 * 8 * 8)
        flow = self.fc1(flow)
        return self.fc_out(F.relu(flow) if activated else flow)

    conv_block = nn.Sequential(nn.Conv2d(6, 4, 1), nn.BatchNorm2d(4))
    model = Part(forward, conv_block=conv_block, fc1=nn.Linear(256, 32), fc_out=nn.Linear(32, 3))
    planes = (rows(6, 8, 8) > 1).float()
    return model, nn.CrossEntropyLoss(), planes, (6 * told(planes, 3)).softmax(1)
