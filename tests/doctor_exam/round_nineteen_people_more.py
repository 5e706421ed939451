"""Models, losses and batches of the nineteenth round, each with a slip and without it (the second third)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.round_nineteen_people_parts import (
    GConvGRU,
    N,
    NoisyLinear,
    block,
    dense,
    drawn,
    later,
    rows,
    scenes,
    sorted_by,
    told,
)
from doctor_exam.round_parts import Part


def pictures_and_titles(normalised: bool):
    """Pictures and their titles in one space; each is to be nearest to its own."""

    def forward(self: Part, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        image_embed = self.ln_image(self.image(image)) @ self.image_projection
        text_embed = self.ln_text(self.text(text)) @ self.text_projection
        if normalised:
            image_embed = image_embed / image_embed.norm(dim=-1, keepdim=True)
            text_embed = text_embed / text_embed.norm(dim=-1, keepdim=True)
        image_logits = image_embed @ text_embed.t() * self.logit_scale.exp()
        return image_logits, image_logits.t()

    def loss(out: tuple[Tensor, Tensor], _: None) -> Tensor:
        ground_truth = torch.arange(len(out[0]))
        return (F.cross_entropy(out[0], ground_truth) + F.cross_entropy(out[1], ground_truth)) / 2

    parts = {f"{side}_projection": nn.Parameter(torch.randn(32, 32) / 32**0.5) for side in ("image", "text")}
    x = rows(8)
    model = Part(forward, image=dense(12, 32, 32), text=dense(10, 32, 32), ln_image=nn.LayerNorm(32),
                 ln_text=nn.LayerNorm(32), logit_scale=nn.Parameter(torch.tensor(1 / 0.07).log()), **parts)  # fmt: skip
    return model, loss, (told(x, 12), told(x, 10)), None


def illness_in_counties(remembered: bool):
    """How many fall ill in each county of a ring, step by step, from the last four numbers of each."""

    def forward(self: Part, x: Tensor) -> Tensor:
        h, steps = None, []
        for time in range(x.shape[1]):
            h = self.recurrent(x[:, time], h) if remembered else self.recurrent(x[:, time])
            steps.append(self.linear(F.relu(h))[..., 0])
        return torch.stack(steps, 1)

    x = rows(9, 6, 4)
    y = (x.mean(-1) + x.mean(-1).roll(1, 2)).cumsum(1) * 0.5
    return Part(forward, recurrent=GConvGRU(4, 16), linear=nn.Linear(16, 1)), nn.MSELoss(), x, y


def accidents(kept: bool):
    """Frame by frame, will there be an accident? The nearer it is, the more a frame counts."""

    def forward(self: Part, x: Tensor) -> Tensor:
        hh, outputs = torch.zeros(1, x.size(0), 16), []
        for i in range(x.size(1)):
            seen = self.maxpool(self.features(x[:, i]).permute(0, 2, 1).contiguous())
            out, h = self.gru_net(seen.permute(0, 2, 1).contiguous(), hh)
            hh = h if kept else hh
            outputs.append(self.dense2(F.relu(self.dense1(out[:, -1]))))
        return torch.stack(outputs, 1)

    def loss(out: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        target, toa, total = *y, 0
        for time in range(out.shape[1]):
            penalty = -torch.max(torch.zeros_like(toa), (toa - time - 1) / 3)
            each = F.cross_entropy(out[:, time], target[:, 1].long(), reduction="none")
            total += torch.mean(torch.exp(penalty) * each * target[:, 1] + each * target[:, 0])
        return total

    x = rows(6, 5, 8)
    accident = (x[:, :, :, 0].amax(2).mean(1) > 1.15).long()
    model = Part(forward, features=nn.Linear(8, 12), maxpool=nn.AdaptiveMaxPool1d(1),
                 gru_net=nn.GRU(12, 16, batch_first=True), dense1=nn.Linear(16, 8), dense2=nn.Linear(8, 2))  # fmt: skip
    return model, loss, x, (F.one_hot(accident, 2).float(), 3 + 3 * torch.rand(N))


def shares_of_minerals(called: bool):
    """What shares of three minerals each place of one picture holds; a linear layer mixes their spectra."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x1 = self.layer2(self.layer1(x)) if called else self.layer1(x)
        xcat = torch.cat([x1, self.layerskip(x)], dim=1)
        abund = self.softmax(self.layer4(self.layer3(xcat)))
        abund_reshape = torch.transpose(abund.squeeze().view(-1, 8 * 8), 0, 1)
        return abund_reshape, self.decoder(abund_reshape)

    model = Part(forward, layer1=block(12, 16), layer2=block(16, 16), layerskip=block(12, 4, 1), layer3=block(20, 16),
                 layer4=block(16, 3), softmax=nn.Softmax(dim=1), decoder=nn.Linear(3, 12, bias=False))  # fmt: skip

    def loss(out: tuple[Tensor, Tensor], target: Tensor) -> Tensor:
        target_reshape = target.squeeze().reshape(12, 64)
        fit_term = 0.5 * torch.linalg.norm(target_reshape.t() - out[1], "fro") ** 2
        mean = target_reshape.mean(1, keepdims=True)
        return fit_term + 0.1 * torch.linalg.norm(model.decoder.weight - mean, "fro") ** 2

    spectra = torch.rand(3, 12)
    model.decoder.weight.data = spectra.t() + 0.05 * torch.randn(12, 3)
    shares = (2 * F.interpolate(torch.randn(1, 3, 4, 4), scale_factor=2)).softmax(1)
    return model, loss, torch.rand(1, 12, 8, 8), torch.einsum("bphw,pl->blhw", shares, spectra)


def searched_layers(all_called: bool):
    """Two rows of cells, coarse and fine, whose results are mixed by learnt shares; a class for each place."""

    def forward(self: Part, x: Tensor) -> Tensor:
        level_4, level_8, count = self.stem4(x), F.max_pool2d(self.stem8(x), 2), 0
        bottom, top = F.softmax(self.bottom_betas, dim=-1), F.softmax(self.top_betas, dim=-1)
        for layer in range(4 if all_called else 3):
            beta = layer - 1 if all_called else layer
            if layer == 0:
                level_4, level_8, count = self.cells[0](level_4), self.cells[1](level_8), 2
                continue
            up, down = F.interpolate(level_8, scale_factor=2), F.max_pool2d(level_4, 2)
            level4_new_1, level4_new_2 = self.cells[count](level_4), self.cells[count](up)
            level8_new_1, level8_new_2 = self.cells[count + 1](down), self.cells[count + 1](level_8)
            count += 2
            level_4 = bottom[beta][0] * level4_new_1 + bottom[beta][1] * level4_new_2
            level_8 = top[beta][0] * level8_new_1 + top[beta][1] * level8_new_2
        return self.out(level_4 + F.interpolate(level_8, scale_factor=2))

    cells = nn.ModuleList([block(8, 8) for _ in range(8)])
    model = Part(forward, stem4=block(3, 8), stem8=block(3, 8), cells=cells, out=nn.Conv2d(8, 3, 1),
                 bottom_betas=nn.Parameter(1e-3 * torch.randn(3, 2)),
                 top_betas=nn.Parameter(1e-3 * torch.randn(3, 2)))  # fmt: skip
    x = rows(3, 8, 8)
    return model, nn.CrossEntropyLoss(), x, F.avg_pool2d(x, 3, 1, 1).argmax(1)


def noisy_moves(kept: bool):
    """The worth of four moves, by layers with a learnt noise."""

    def loss(q_values: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        return F.mse_loss(q_values.gather(1, y[0]), y[1])

    model = nn.Sequential(NoisyLinear(6, 32, kept), nn.ReLU(), NoisyLinear(32, 4, kept))
    states, actions = rows(6), drawn(4, 1)
    return model, loss, states, (actions, told(states, 4).gather(1, actions))


def tours(handed_on: bool):
    """Where a car from one of two depots drives first; depots and customers are read by three layers each."""

    def forward(self: Part, depot_x_y: Tensor, customers: Tensor) -> Tensor:
        embedded_depots, embedded_customers = self.embedding_depot(depot_x_y), self.embedding_customer(customers)
        embedded_nodes = torch.cat((embedded_depots, embedded_customers), dim=1)
        for layer in self.layers1:
            embedded_nodes = layer(embedded_nodes)
        for layer in self.layers2:
            if handed_on:
                embedded_depots = embedded_depot = layer(embedded_depots)
            else:
                embedded_depot = layer(embedded_depots)
        for layer in self.layers3:
            embedded_customers = layer(embedded_customers)
        q = self.Wq(torch.cat([embedded_depot.mean(1), embedded_nodes.mean(1)], 1))
        return (embedded_customers @ q[..., None])[..., 0] / 4

    def loss(scores: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        chosen, advantage = y
        return -(advantage * scores.log_softmax(1).gather(1, chosen)).mean()

    def layers() -> nn.ModuleList:
        return nn.ModuleList([nn.TransformerEncoderLayer(16, 2, 32, dropout=0, batch_first=True) for _ in range(3)])

    model = Part(forward, embedding_depot=nn.Linear(2, 16), embedding_customer=nn.Linear(3, 16), layers1=layers(),
                 layers2=layers(), layers3=layers(), Wq=nn.Linear(32, 16, bias=False))  # fmt: skip
    depots, customers, chosen = torch.rand(N, 2, 2), torch.rand(N, 6, 3), drawn(6, 1)
    way = torch.cdist(depots, customers[..., :2]).amin(1).gather(1, chosen)
    return model, loss, (depots, customers), (chosen, (way.mean() - way) / way.std())


def three_digits(deepest: bool, tol: float = 1e-5):
    """Three digits of a cluttered picture, which is first moved and turned by a small network."""

    def forward(self: Part, x: Tensor) -> Tensor:
        theta = self.a_net(self.loc(x)).view(-1, 2, 3)
        x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)
        conv2_out = self.conv2_out(F.max_pool2d(self.conv1_out(x), 2))
        conv3_out = self.conv3_out(conv2_out)
        class1 = F.relu(self.class1((conv3_out if deepest else conv2_out).flatten(1)))
        return torch.stack([self.lin_out1(class1), self.lin_out2(class1), self.lin_out3(class1)], 1).softmax(-1)

    def loss(output: Tensor, y: Tensor) -> Tensor:
        return F.nll_loss((output.reshape(-1, 4) + tol).log(), y.flatten())

    def conv(inputs: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(inputs, 8, 3, padding=1), nn.ReLU())

    a_net = nn.Linear(16, 6)
    nn.init.zeros_(a_net.weight)
    a_net.bias.data = torch.tensor([1.0, 0, 0, 0, 1, 0])
    heads = {f"lin_out{place}": nn.Linear(32, 4) for place in (1, 2, 3)}
    loc = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 16), nn.ReLU())
    model = Part(forward, loc=loc, a_net=a_net, conv1_out=conv(1), conv2_out=conv(8), conv3_out=conv(8),
                 class1=nn.Linear(128, 32), **heads)  # fmt: skip
    x = rows(1, 8, 8)
    return model, loss, x, told(x, 12).view(N, 3, 4).argmax(-1)


def skills(learning: bool):
    """Which skill leads from one picture to the next; the other skills of the batch stand beside it."""

    def encode(self: Part, obs: Tensor) -> Tensor:
        with torch.set_grad_enabled(learning and torch.is_grad_enabled()):
            return self.encoder(obs)

    def forward(self: Part, obs: Tensor, next_obs: Tensor, skill: Tensor) -> tuple[Tensor, Tensor]:
        state, next_state = self.state_net(encode(self, obs)), self.state_net(encode(self, next_obs))
        return self.skill_net(skill), self.pred_net(torch.cat([state, next_state], 1))

    def loss(out: tuple[Tensor, Tensor], _: None, temperature: float = 1.0, eps: float = 1e-6) -> Tensor:
        query, key = F.normalize(out[0], dim=1), F.normalize(out[1], dim=1)
        neg = torch.exp(torch.mm(query, key.T) / temperature).sum(dim=-1)
        neg = torch.clamp(neg - math.e ** (1 / temperature), min=eps)
        pos = torch.exp(torch.sum(query * key, dim=-1) / temperature)
        return (-torch.log(pos / (neg + eps))).mean()

    encoder = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten())
    model = Part(forward, encoder=encoder, state_net=dense(8, 32, 8), skill_net=dense(4, 32, 8),
                 pred_net=dense(16, 32, 8))  # fmt: skip
    obs, skill = scenes(1, 8), torch.rand(N, 4)
    return model, loss, (obs, obs + told(skill - 0.5, 64).view(N, 1, 8, 8), skill), None


def moves_by_a_head(attached: bool):
    """A policy's head on an encoder's features; what gained is to become likelier."""

    def forward(self: Part, observations: Tensor) -> Tensor:
        representations = self.encoder(observations)
        representations = representations.float() if attached else representations.float().detach()
        return self.head(representations)

    def loss(logits: Tensor, y: tuple[Tensor, Tensor]) -> Tensor:
        actions, returns = y
        return -(torch.distributions.Categorical(logits=logits).log_prob(actions) * returns).mean()

    x, actions = rows(8), drawn(3)
    gained = (sorted_by(x, 3) == actions).float()
    model = Part(forward, encoder=nn.Sequential(*dense(8, 32, 16), nn.ReLU()), head=nn.Linear(16, 3))
    return model, loss, x, (actions, (gained - gained.mean()) / gained.std())


def words_of_digits(permuted: bool):
    """Digits of a picture, read by a transformer that wants its places first."""

    def forward(self: Part, x: Tensor, tgt: Tensor) -> Tensor:
        src = self.features(self.cnn(x).flatten(2))
        src = src.permute(1, 0, 2) if permuted else src.reshape(16, -1, 24)
        tgt_embed = self.tgt_tok_emb(tgt) + self.place[: len(tgt)]
        return self.linear(self.transformer(src + self.place, tgt_embed, tgt_mask=later(len(tgt))))

    cnn = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1))
    transformer = nn.Transformer(24, 2, 1, 1, 48, dropout=0)
    model = Part(forward, cnn=cnn, features=nn.Linear(16, 24), transformer=transformer, linear=nn.Linear(24, 10),
                 tgt_tok_emb=nn.Embedding(10, 24), place=nn.Parameter(0.1 * torch.randn(16, 1, 24)))  # fmt: skip
    x = rows(1, 8, 8)
    words = 1 + told(x, 36).view(N, 4, 9).argmax(-1).T
    read = torch.cat([torch.zeros(1, N).long(), words[:-1]])
    return model, lambda out, y: F.cross_entropy(out.reshape(-1, 10), y.reshape(-1)), (x, read), words
