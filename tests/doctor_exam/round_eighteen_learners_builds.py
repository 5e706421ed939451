"""Set-ups of the eighteenth round's learners that are written by hand or made of larger networks."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_eighteen_learners_parts import (
    Bayesian,
    Block,
    EncoderBlock,
    Gpt,
    Handmade,
    MultiHeadAttention,
    N,
    binary_crossentropy,
    classes_of,
    filled_up,
    spoken,
    yes_or_no,
)
from doctor_exam.round_parts import Part


def one_neuron(of_input: bool):
    """One neuron with a sigmoid; the slope of its weight is taken from its input, or from its own output."""

    def network(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        return (torch.sigmoid(x @ w.T + b),)

    def slopes(da: Tensor, x: Tensor, weights: list[Tensor], kept: list[Tensor]) -> tuple[Tensor, ...]:
        activations = [x, kept[0]]
        dz = da * kept[0] * (1 - kept[0])
        return dz.T @ activations[0 if of_input else 1], dz.sum(0)

    x = torch.linspace(-3, 3, N)[:, None]
    return Handmade(network, slopes, torch.full((1, 1), -0.5), torch.zeros(1)), nn.BCELoss(), x, (x > 0).float()


def two_neurons(chained: bool):
    """A chain of two neurons, for numbers that are large or small; a weight's slope from its input, or from itself."""

    def network(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> tuple[Tensor, ...]:
        h = torch.sigmoid(x * w1 + b1)
        return h, torch.sigmoid(h * w2 + b2)

    def slopes(gradient_y: Tensor, x: Tensor, weights: list[Tensor], kept: list[Tensor]) -> tuple[Tensor, ...]:
        (_, _, w2, _), (h, y) = weights, kept
        der_h, der_y = h * (1 - h), y * (1 - y)
        if chained:
            delta_w2, gradient_h = gradient_y * der_y * h, gradient_y * der_y * w2
            delta_w1 = gradient_h * der_h * x
        else:
            delta_w2, gradient_h = gradient_y * der_y * w2, gradient_y * w2
            delta_w1 = gradient_h * der_h * w2
        return delta_w1.sum(0), (gradient_h * der_h).sum(0), delta_w2.sum(0), (gradient_y * der_y).sum(0)

    x = torch.linspace(1, 9, N)[:, None] / 9
    weights = torch.rand(1) * 2 - 1, torch.zeros(1), torch.rand(1) * 2 - 1, torch.zeros(1)
    return Handmade(network, slopes, *weights), nn.MSELoss(), x, (x > 0.5).float()


def cat_or_not(chained: bool):
    """Two ReLU layers and a sigmoid with a backward pass of a course, which may start anew at every layer."""

    def linear_backward(dz: Tensor, a_prev: Tensor, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return dz @ w, dz.T @ a_prev, dz.sum(0)

    def sigmoid_backward(da: Tensor, z: Tensor) -> Tensor:
        s = 1 / (1 + torch.exp(-z))
        return da * s * (1 - s)

    def network(x: Tensor, *weights: Tensor) -> list[Tensor]:
        kept, a = [], x
        for w, b in zip(weights[::2], weights[1::2], strict=True):
            z = a @ w.T + b
            a = z.relu() if len(kept) < 4 else torch.sigmoid(z)
            kept += [z, a]
        return kept

    def slopes(dal: Tensor, x: Tensor, weights: list[Tensor], kept: list[Tensor]) -> list[Tensor]:
        inputs, zs, grads = [x, *kept[1::2]], kept[::2], []
        da, *found = linear_backward(sigmoid_backward(dal, zs[2]), inputs[2], weights[4])
        for layer in reversed(range(2)):
            grads = [*found, *grads]
            dz = da * (zs[layer] > 0) if chained else sigmoid_backward(dal, zs[layer])
            da, *found = linear_backward(dz, inputs[layer], weights[2 * layer])
        return [*found, *grads]

    sizes, x = (12, 8, 6, 1), torch.randn(N, 12)
    weights = [(torch.randn(b, a) / a**0.5, torch.zeros(b)) for a, b in pairwise(sizes)]
    return Handmade(network, slopes, *sum(weights, ())), nn.BCELoss(), x, yes_or_no(x)


def reviews(raw: bool):
    """What a review says of a dish, from the mean of a GRU [L, N]; three classes."""

    def forward(self: Part, words: Tensor) -> Tensor:
        hidden = words.new_zeros((1, len(words), 16), dtype=torch.float)
        output, hidden = self.rnn(self.encoder(words.T), hidden)
        decoded = self.decoder(torch.mean(output, 0).squeeze())
        return decoded if raw else self.softmax(decoded)

    words = torch.randint(0, 20, (N, 8))
    model = Part(forward, encoder=nn.Embedding(20, 16), rnn=nn.GRU(16, 16, 1, bias=False), decoder=nn.Linear(16, 3),
                 softmax=nn.Softmax(dim=1))  # fmt: skip
    return model, nn.CrossEntropyLoss(), words, words[:, 0] % 3


def poems(chained: bool):
    """The next word of a poem."""
    words = spoken(20, 9)
    loss_fn = nn.CrossEntropyLoss()
    return Gpt(20, 8, chained), lambda pre, y: loss_fn(pre.reshape(-1, 20), y.reshape(-1)), words[:, :-1], words[:, 1:]


def house_prices(of_numbers: bool):
    """The price of a house, by a tutorial's network that told dear houses from cheap ones."""
    x = torch.randn(N, 10)
    price = 180 + 40 * (x @ torch.randn(10, 1))
    layers = [nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)]
    if of_numbers:
        return nn.Sequential(*layers), nn.MSELoss(), x, (price - price.mean()) / price.std()
    return nn.Sequential(*layers, nn.Sigmoid()), binary_crossentropy, x, price


def drawn_weights(all_layers: bool):
    """Digits by a network of which the weights are drawn, three layers by their list; a prior and a posterior."""

    def log_gaussian(x: Tensor, mu: Tensor | float, sigma: Tensor | float) -> Tensor:
        return -0.919 - torch.log(torch.as_tensor(sigma)) - (x - mu) ** 2 / (2 * sigma**2)

    def combined_loss(out: tuple[Tensor, ...], y: Tensor) -> Tensor:
        output, params, mus, sigmas = out
        log_likelihood_sum = torch.sum(F.one_hot(y, 4) * F.log_softmax(output, 1))
        log_prior_sum = torch.sum(log_gaussian(params, 0.0, 0.5))
        log_var_posterior_sum = torch.sum(log_gaussian(params, mus, sigmas))
        return (log_var_posterior_sum - log_prior_sum) / 50 - log_likelihood_sum

    x = torch.randn(N, 12)
    shapes = [(12, 16), (16,), (16, 16), (16,), (16, 4), (4,)]
    return Bayesian(shapes, 1 if all_layers else 2), combined_loss, x, classes_of(x, 4)


def pairs_of_words(each: bool):
    """Skip-gram: words that stand together and words that do not; is a sum taken of the drawn words' scores first?"""

    def forward(self: Part, u_pos: Tensor, v_pos: Tensor, v_neg: Tensor) -> Tensor:
        embed_u, embed_v = self.u_embeddings(u_pos), self.v_embeddings(v_pos)
        score = torch.sum(torch.mul(embed_u, embed_v), dim=1)
        return torch.cat([score[:, None], torch.bmm(self.v_embeddings(v_neg), embed_u.unsqueeze(2)).squeeze(2)], 1)

    def loss(scores: Tensor, y: Tensor) -> Tensor:
        score, neg_score = scores[y == 1], scores[y == 0].view(N, -1)
        if each:
            sum_log_sampled = F.logsigmoid(-1 * neg_score).sum(1)
        else:
            sum_log_sampled = F.logsigmoid(-1 * torch.sum(neg_score, dim=1)).squeeze()
        return -1 * (F.logsigmoid(score) + sum_log_sampled).sum() / len(score)

    u_pos = torch.randint(0, 12, (N,))
    model = Part(forward, u_embeddings=nn.Embedding(12, 8), v_embeddings=nn.Embedding(12, 8))
    v_neg = (u_pos[:, None] + torch.randint(2, 12, (N, 5))) % 12
    return model, loss, (u_pos, (u_pos + 1) % 12, v_neg), (torch.arange(6) == 0).long().repeat(N, 1)


def birds(last: bool):
    """Birds from patches of a picture, by two blocks; the softmax runs over the places, or over the heads."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = self.patch_embeddings(x).flatten(2).transpose(-1, -2)
        x = torch.cat((self.cls_token.expand(len(x), -1, -1), x), dim=1) + self.position_embeddings
        return self.head(self.norm(self.second(self.first(x)))[:, 0])

    pictures, axis = torch.randn(N, 3, 12, 12), -1 if last else 1
    model = Part(forward, patch_embeddings=nn.Conv2d(3, 16, 4, 4), norm=nn.LayerNorm(16), head=nn.Linear(16, 4),
                 cls_token=nn.Parameter(torch.zeros(1, 1, 16)), first=Block(16, axis), second=Block(16, axis),
                 position_embeddings=nn.Parameter(torch.zeros(1, 10, 16)))  # fmt: skip
    return model, nn.CrossEntropyLoss(), pictures, classes_of(pictures.mean((2, 3)), 4)


def next_words(projected: bool):
    """The next word by one layer of a translator's decoder."""

    def forward(self: Part, trg: Tensor) -> Tensor:
        trg_mask = (trg != 0).unsqueeze(1).unsqueeze(2) & torch.tril(torch.ones(8, 8)).bool()
        x = self.tok_embedding(trg) * 4 + self.pos_embedding(torch.arange(8))
        x = self.attention_norm(x + self.attention(x, x, x, trg_mask))
        return self.fc_out(self.ff_norm(x + self.position_ff(x)))

    words, criterion = spoken(20, 9), nn.CrossEntropyLoss(ignore_index=0)
    model = Part(forward, tok_embedding=nn.Embedding(20, 16), pos_embedding=nn.Embedding(8, 16),
                 attention=MultiHeadAttention(16, 2, projected), attention_norm=nn.LayerNorm(16),
                 position_ff=nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16)),
                 ff_norm=nn.LayerNorm(16), fc_out=nn.Linear(16, 20))  # fmt: skip
    return model, lambda out, y: criterion(out.view(-1, 20), y.reshape(-1)), words[:, :-1], words[:, 1:]


def subjects(masked: bool):
    """The subject of a sentence from its first place; a mask says where it is filled up."""

    def forward(self: Part, words: Tensor, mask: Tensor) -> Tensor:
        return self.out(self.encoder(self.word_embedding(words) + self.place, mask)[:, 0])

    words = filled_up(20, 10)
    model = Part(forward, word_embedding=nn.Embedding(20, 16), encoder=EncoderBlock(16, masked), out=nn.Linear(16, 4),
                 place=nn.Parameter(0.1 * torch.randn(10, 16)))  # fmt: skip
    return model, nn.CrossEntropyLoss(), (words, (words == 0)[:, None]), (words[:, 0] + words[:, 1]) % 4


def pictures_of_prompts(hidden: bool):
    """Patches of a noisy picture that attend to a prompt; what fills it up is set to zero, or hidden."""

    def forward(self: Part, patches: Tensor, prompt: Tensor, mask: Tensor) -> Tensor:
        if not hidden:
            prompt = prompt * mask.unsqueeze(-1)
        k, v = self.key(self.context(prompt)), self.value(self.context(prompt))
        attn_mask = mask[:, None].bool() if hidden else None
        return self.out(patches + F.scaled_dot_product_attention(self.query(patches), k, v, attn_mask=attn_mask))

    patches, prompt = torch.randn(N, 6, 16), torch.randn(N, 9, 12)
    mask = (torch.arange(9) < 2 + torch.arange(N)[:, None] % 7).float()
    meant = (prompt * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    layers = {name: nn.Linear(16, 16) for name in ("query", "key", "value", "out")}
    target = meant @ torch.randn(12, 16) / 3
    model = Part(forward, context=nn.Linear(12, 16), **layers)
    return model, nn.MSELoss(), (patches, prompt, mask), 0.3 * patches + target[:, None]


def roads(raw: bool):
    """Where the road is and where its lines are, two shares each [N, 2, H, W]."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.relu(self.backbone(x))
        area, line = self.area(x), self.line(x)
        return (area, line) if raw else (self.m(area), self.m(line))

    def loss(predictions: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        bce_seg = nn.BCEWithLogitsLoss()
        lseg_da = bce_seg(predictions[0].view(-1), targets[0].view(-1))
        return 0.2 * lseg_da + 0.2 * bce_seg(predictions[1].view(-1), targets[1].view(-1))

    x = torch.randn(N, 3, 8, 8)
    area, line = (x[:, :1] > 0).float(), (x[:, 1:2] + x[:, 2:] > 0).float()
    parts = {name: nn.Conv2d(8, 2, 3, padding=1) for name in ("area", "line")}
    model = Part(forward, backbone=nn.Conv2d(3, 8, 3, padding=1), m=nn.Sigmoid(), **parts)
    return model, loss, x, (torch.cat([1 - area, area], 1), torch.cat([1 - line, line], 1))


def organs(raw: bool):
    """A mask of an organ, by a loss of two parts that takes a sigmoid itself."""

    def dice_bce(inputs: Tensor, targets: Tensor, smooth: float = 1) -> Tensor:
        inputs = torch.sigmoid(inputs)
        inputs, targets = inputs.view(-1), targets.view(-1)
        intersection = (inputs * targets).sum()
        dice_loss = 1 - (2.0 * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
        return F.binary_cross_entropy(inputs, targets, reduction="mean") + dice_loss

    x = torch.randn(N, 3, 8, 8)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1), nn.Sigmoid()]
    return nn.Sequential(*layers[: 3 if raw else 4]), dice_bce, x, (x[:, :1] > 0.8).float()


def started(drawn: bool):
    """A course's three layers for points in a plane, started at zero or with random numbers."""
    x = torch.randn(N, 2)
    model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid())
    for layer in model[::2]:
        nn.init.zeros_(layer.bias)
        nn.init.kaiming_normal_(layer.weight) if drawn else nn.init.zeros_(layer.weight)
    return model, nn.BCELoss(), x, (x.norm(dim=1, keepdim=True) > 1.1).float()


def made_up_regression(flat: bool):
    """A line through made-up numbers, its weights started at one constant."""

    def forward(self: Part, x: Tensor) -> Tensor:
        prediction = torch.matmul(x, self.weights) + self.bias
        return prediction.squeeze(1) if flat else prediction

    def half_square(prediction: Tensor, y: Tensor) -> Tensor:
        loss = (y - prediction) ** 2 / 2
        return loss.mean()

    x = torch.randn(N, 5)
    weights, bias = nn.Parameter(torch.full((5, 1), 0.42)), nn.Parameter(torch.tensor(0.123))
    return Part(forward, weights=weights, bias=bias), half_square, x, x @ torch.randn(5) + 0.1 * torch.randn(N)
