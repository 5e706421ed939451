"""Set-ups of the twentieth round (makers), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
autoencoder outputs all the same image pytorch; vae kl loss goes to zero reconstruction blurry average;
vae loss is negative binary cross entropy; vae kl divergence wrong sum dimension batch;
autoencoder sigmoid output mse normalized inputs not learning; gan discriminator loss stuck at 0.693;
gan generator not learning detach fake; wgan critic sigmoid loss not converging; gan target labels wrong size bce loss;
gaussian nll loss negative variance nan; poisson nll loss log input wrong; knowledge distillation kl_div negative loss;
distillation loss log_softmax student temperature batchmean; kl_div target not probabilities wrong;
triplet loss stuck at margin; siamese contrastive loss label 0 1 inverted embeddings collapse;
infonce loss not decreasing log batch size; cosine embedding loss target 0 1 instead of -1;
actor critic value loss broadcasting shape; policy gradient loss sign wrong log_prob;
dqn loss target not detached q values; ppo ratio log prob shape mismatch advantage;
time series autoencoder lstm predicts mean constant;
text vae reconstruction loss cross entropy padding posterior collapse.
Further ones, likewise committed before they were made (the first gave nineteen):
gan generator tanh output images range 0 1; denoising autoencoder loss computed against noisy input;
reparameterization std exp logvar without 0.5 vae bug; nt-xent simclr loss diagonal mask wrong;
negative log likelihood gaussian log sigma missing loss wrong; sac td3 actor loss q value gradient detach.

About forty look-ups; the first three of the further ones were made, the twentieth thread was found by the first.
Left out: threads whose cause could not be told (triplet loss at its margin, losses of GANs that stay), questions about
code that is right (used for right set-ups), a missing detach() that changes nothing (the other network has no
optimiser), a formula that is off by a constant only, and further threads on one and the same line of code.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from doctor_exam.case import CaseSet
from doctor_exam.parts import N, Tagger, classes, inputs, labels, mlp, padded_tokens
from doctor_exam.round_parts import Part, divergence

TWENTY_MAKERS = CaseSet()
right, wrong = TWENTY_MAKERS.right, TWENTY_MAKERS.wrong


def vae(size: int, *ends: nn.Module, latent: int = 4) -> Part:
    """A variational autoencoder of flat inputs: reconstruction, mean and log-variance."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encoder(x.flatten(1)).chunk(2, 1)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        return self.decoder(z).view_as(x), mean, log_var

    encoder = nn.Sequential(nn.Linear(size, 32), nn.ReLU(), nn.Linear(32, 2 * latent))
    return Part(
        forward, encoder=encoder, decoder=nn.Sequential(nn.Linear(latent, 32), nn.ReLU(), nn.Linear(32, size), *ends)
    )


def photos(size: int = 8, channels: int = 3) -> Tensor:
    """Smooth pictures in [0, 1]."""
    return F.interpolate(torch.rand(N, channels, 2, 2), size=size, mode="bilinear")


def frozen(net: nn.Module) -> nn.Module:
    """The same network, not trained."""
    return net.requires_grad_(False)


def normalised_photos(shares: bool):
    """A VAE of photos that were normalised by mean and deviation."""
    x = (photos() - 0.48) / 0.25

    def elbo(outputs: tuple[Tensor, ...], x: Tensor) -> Tensor:
        if shares:
            rebuilt = F.binary_cross_entropy(outputs[0], x, reduction="sum") / len(x)
        else:
            rebuilt = F.mse_loss(outputs[0], x, reduction="sum") / len(x)
        return rebuilt + divergence(*outputs[1:])

    return vae(192, *([nn.Sigmoid()] if shares else [])), elbo, x, x


BOLTS = "Lightning-Universe/lightning-bolts#177"
wrong("VAE of normalised photos: binary cross-entropy of targets outside 0 to 1", "targets_outside_unit_range", BOLTS)(
    lambda: normalised_photos(True)
)
right("VAE of normalised photos: squared error", BOLTS)(lambda: normalised_photos(False))


@wrong(
    "VAE of SMILES: divergence averaged over 64 latent dimensions",
    "wrong_formula|terms_out_of_balance",
    "maxhodak/keras-molecules#59",
)
def molecules():
    """One-hot strings through a recurrent VAE that ends in a softmax."""
    length, chars, latent = 12, 10, 64
    x = F.one_hot(torch.randint(chars, (N, length)).sort(1).values, chars).float()

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.head(self.encoder(x)[1][0]).chunk(2, 1)
        z = mean + torch.exp(log_var / 2) * torch.randn_like(mean)
        hidden = self.decoder(F.relu(self.spread(z))[:, None].expand(-1, length, -1))[0]
        return self.out(hidden).softmax(-1), mean, log_var

    def vae_loss(outputs: tuple[Tensor, ...], x: Tensor) -> Tensor:
        decoded, mean, log_var = outputs
        cross_entropy = length * F.binary_cross_entropy(decoded.flatten(), x.flatten())
        kl = -0.5 * torch.mean(1 + log_var - mean.square() - log_var.exp(), dim=-1)
        return (cross_entropy + kl).mean()

    parts = {"encoder": nn.GRU(chars, 32, batch_first=True), "head": nn.Linear(32, 2 * latent)}
    parts |= {"spread": nn.Linear(latent, 32), "decoder": nn.GRU(32, 32, batch_first=True), "out": nn.Linear(32, chars)}
    return Part(forward, **parts), vae_loss, x, x


def masked_language_distillation(per_token: bool):
    """A student of token scores [N, L, V] and its teacher's scores."""
    tokens = torch.randint(1, 50, (N, 24))
    teacher = 4 * Tagger(50)(tokens).detach()

    def distil(student: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
        log_p, q = F.log_softmax(student / temperature, -1), F.softmax(teacher / temperature, -1)
        if per_token:
            kl = F.kl_div(log_p, q, reduction="sum") / (student.numel() / student.shape[-1])
        else:
            kl = F.kl_div(log_p, q, reduction="batchmean")
        return kl * temperature**2

    return Tagger(50), distil, tokens, teacher


SPARSE = "neuralmagic/sparseml#674"
wrong("distilled masked language model: batchmean of [N, L, V] divides by N only", "wrong_formula", SPARSE)(
    lambda: masked_language_distillation(False)
)
right("distilled masked language model: mean over tokens", SPARSE)(lambda: masked_language_distillation(True))


def four_features(relu_end: bool):
    """An autoencoder 4-4-4 with Xavier weights of features in [0, 1], begun with a zero output as in the thread."""
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), *([nn.ReLU()] if relu_end else []))
    x, dead = torch.rand(N, 4), False
    while not dead:
        for layer in net[0], net[2]:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        dead = not relu_end or bool((net(x) == 0).all(0).any())
    return net, nn.MSELoss(), x, x


RELU = "stats.stackexchange.com/q/269718"
wrong("autoencoder: ReLU at the end, some outputs stay at zero", "dead_layer|saturated_units", RELU)(
    lambda: four_features(True)
)
right("autoencoder: linear end", RELU)(lambda: four_features(False))


def pair_critic(sigmoid: bool):
    """A Wasserstein critic of the difference of encoded real and generated pictures."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        difference = self.encoder(real) - self.encoder(fake)
        return self.critic(difference), self.critic(-difference)

    def d_loss(outputs: tuple[Tensor, Tensor], _) -> Tensor:
        return torch.mean(-(outputs[0] - outputs[1]))

    convs = spectral_norm(nn.Conv2d(3, 8, 3, 2, 1)), nn.LeakyReLU(0.2), spectral_norm(nn.Conv2d(8, 16, 3, 2, 1))
    encoder = nn.Sequential(*convs, nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    ends = [nn.Sigmoid()] if sigmoid else []
    critic = nn.Sequential(spectral_norm(nn.Linear(16, 32)), nn.LeakyReLU(0.2), spectral_norm(nn.Linear(32, 1)), *ends)
    pictures = 2 * photos() - 1, torch.randn(N, 3, 8, 8).tanh()
    return Part(forward, encoder=encoder, critic=critic), d_loss, pictures, None


wrong("Wasserstein critic: scores through a sigmoid", "bounded_critic", "bojone/T-GANs#3")(lambda: pair_critic(True))
right("Wasserstein critic: raw scores", "bojone/T-GANs#3")(lambda: pair_critic(False))


def penalised_critic(whole: bool):
    """A Wasserstein critic with a penalty on its gradient [N, 3, 8, 8]."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        share = torch.rand(len(real), 1, 1, 1)
        mixed = (share * real + (1 - share) * fake).requires_grad_(True)
        gradient = torch.autograd.grad(self.net(mixed).sum(), mixed, create_graph=True)[0]
        return self.net(real), self.net(fake), gradient

    def d_loss(outputs: tuple[Tensor, Tensor, Tensor], _) -> Tensor:
        real, fake, gradient = outputs
        slopes = torch.sqrt(torch.sum(gradient.square(), dim=(1, 2, 3) if whole else 1) + 1e-12)
        return fake.mean() - real.mean() + 10 * torch.mean((slopes - 1) ** 2)

    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    return Part(forward, net=net), d_loss, (2 * photos() - 1, torch.randn(N, 3, 8, 8).tanh()), None


SLOPES = "yao-jason/MLDS2018SPRING#8"
wrong("gradient penalty: length taken over one axis of the picture", "wrong_formula", SLOPES)(
    lambda: penalised_critic(False)
)
right("gradient penalty: length over the whole picture", SLOPES)(lambda: penalised_critic(True))


@wrong("buildings: two channels for a mask of one", "shapes_differ", "TongfeiLiu/C3Net-for-building-extraction#2")
def buildings():
    """Masks of buildings [N, 1, H, W] from photos."""
    x = photos(16)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1), nn.Sigmoid())
    return net, nn.BCELoss(), x, (x.mean(1, keepdim=True) > 0.5).float()


@wrong("hashing: 12 code bits against 21 labels", "shapes_differ", "jiangqy/ADSH-AAAI2018#5")
def hash_codes():
    """Pictures to binary codes, the loss exchanged for one of labels."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(72, 12))
    return net, nn.BCEWithLogitsLoss(), photos(), labels(21)


@wrong("two outputs and class numbers into BCELoss", "shapes_differ", "patrickloeber/pytorchTutorial#30")
def tutorial_digits():
    """A classifier whose cross-entropy was exchanged for a binary one."""
    x = inputs()
    return mlp(2), nn.BCELoss(), x, (x[:, 0] > 0).long()


@wrong("AC-GAN: real-or-fake scores [N, 1] against labels [N]", "shapes_differ|loss_fails", "dinhgit/FL-GAN_COVID#1")
def scans():
    """A discriminator with a sigmoid and a softmax head, the step on real scans."""

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(x)
        return self.sigmoid(self.disc_linear(x)), self.softmax(self.aux_linear(x))

    def d_loss(outputs: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
        return nn.BCELoss()(outputs[0], targets[0]) + nn.NLLLoss()(outputs[1], targets[1])

    body = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 4), nn.Flatten())
    heads = {"disc_linear": nn.Linear(8, 1), "aux_linear": nn.Linear(8, 2), "sigmoid": nn.Sigmoid()}
    return Part(forward, body=body, softmax=nn.Softmax(), **heads), d_loss, photos(8, 1), (torch.ones(N), classes(2))


def even_numbers(column: bool):
    """A generator of binary numbers against its discriminator, the generator's step."""
    discriminator = frozen(nn.Sequential(nn.Linear(7, 1), nn.Sigmoid()))
    net = nn.Sequential(nn.Sequential(nn.Linear(7, 7), nn.Sigmoid()), discriminator)
    return net, nn.BCELoss(), torch.randint(0, 2, (N, 7)).float(), torch.ones(N, 1) if column else torch.ones(N)


NUMBERS = "nbertagnolli/pytorch-simple-gan#1"
wrong("generator: scores [N, 1] against labels [N]", "shapes_differ", NUMBERS)(lambda: even_numbers(False))
right("generator: scores and labels [N, 1]", NUMBERS)(lambda: even_numbers(True))


@wrong("mask head: masks of 48 pixels against targets of 28", "shapes_differ|loss_fails", "quangle2110/GAN_Mask-RCNN#1")
def masks():
    """A mask of every class per region; the loss takes the one of the region's class."""

    def mask_loss(outputs: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        return F.binary_cross_entropy_with_logits(outputs[torch.arange(N), targets[0]], targets[1])

    ups = nn.ConvTranspose2d(8, 8, 2, 2), nn.ReLU(), nn.ConvTranspose2d(8, 8, 2, 2), nn.ReLU()
    ones = (photos(28, 1)[:, 0] > 0.5).float()
    return nn.Sequential(*ups, nn.Conv2d(8, 3, 1)), mask_loss, torch.randn(N, 8, 12, 12), (classes(3), ones)


@wrong("sign language: scores per frame against one class number a video", "shapes_differ", "dxli94/WLASL#18")
def signs():
    """Video features [N, 32, 75] to scores of 100 signs per frame."""
    net = nn.Sequential(nn.Conv1d(32, 16, 3, padding=1), nn.ReLU(), nn.Conv1d(16, 100, 1))
    return net, F.binary_cross_entropy_with_logits, torch.randn(N, 32, 75), classes(100)


@wrong("fair sampling: scores [N, 1] against labels [N]", "shapes_differ|loss_fails", "yuji-roh/fairbatch#2")
def fair():
    """A logistic regression with labels of -1 and 1."""
    x = inputs(3)

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        return nn.BCELoss()((torch.tanh(outputs) + 1) / 2, (y + 1) / 2)

    return nn.Linear(3, 1), loss, x, (x[:, 0] + x[:, 1]).sign()


def language_student(masked: bool):
    """A student of a language model on filled-up texts, with a teacher's shares and next tokens."""
    tokens = padded_tokens(0)[0]
    follow = torch.cat([tokens[:, 1:], torch.zeros(N, 1, dtype=torch.long)], 1)
    follow[follow == 0] = -100
    targets = {"teacher": F.softmax(4 * Tagger(50)(tokens).detach(), -1), "labels": follow}

    def distil(student: Tensor, targets: dict[str, Tensor]) -> Tensor:
        teacher, follow = targets["teacher"], targets["labels"]
        hard = F.cross_entropy(student.flatten(0, 1), follow.flatten(), ignore_index=-100)
        if masked:
            student, teacher = student[follow != -100], teacher[follow != -100]
        return hard + F.kl_div(F.log_softmax(student, -1), teacher, reduction="batchmean")

    return Tagger(50), distil, tokens, targets


MAMBA = "jxiw/MambaInLlama#11"
wrong("distilled language model: padding counts in the divergence", "padding_not_ignored", MAMBA)(
    lambda: language_student(False)
)
right("distilled language model: padding left out", MAMBA)(lambda: language_student(True))


def street_student(log: bool):
    """A segmentation net on pseudo labels and a teacher's scores [N, C, H, W]."""
    x = photos(16)
    teacher = 6 * nn.Conv2d(3, 5, 3, padding=1)(x - 0.5).detach()
    hard = teacher.argmax(1)
    hard[teacher.softmax(1).amax(1) < 0.3] = 250

    def loss(outputs: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        student = F.log_softmax(outputs, 1) if log else F.softmax(outputs, 1)
        teacher = F.softmax(targets[1], 1)
        kd = F.kl_div(student, teacher, reduction="none")
        mask = (teacher != 250).float()
        return F.cross_entropy(outputs, targets[0], ignore_index=250) + (kd * mask).sum() / mask.sum()

    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 5, 1))
    return net, loss, x, (hard, teacher)


wrong(
    "street distillation: shares instead of their logarithm into kl_div",
    "kl_div_on_probabilities",
    "microsoft/ProDA#43",
)(lambda: street_student(False))
right("street distillation: logarithm of shares", "microsoft/ProDA#43")(lambda: street_student(True))


def sentence_pairs(scores: bool):
    """Pairs alike, unlike or half alike through one encoder."""
    kind = torch.arange(N) % 3
    first, other = inputs(), inputs()
    second = torch.stack([first, other, first + other])[kind, torch.arange(N)] + 0.1 * inputs()

    def forward(self: Part, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return self.encoder(a), self.encoder(b)

    loss = nn.CosineEmbeddingLoss()
    targets = torch.tensor([1.0, 0.0, 0.5] if scores else [1.0, -1.0, 0.5])[kind]
    if scores:
        return (
            Part(forward, encoder=mlp(8)),
            lambda pair, y: F.mse_loss(F.cosine_similarity(*pair), y),
            (first, second),
            targets,
        )
    return Part(forward, encoder=mlp(8)), lambda pair, y: loss(*pair, y), (first, second), targets


wrong("cosine embedding loss: targets of one half count nothing", "labels_not_signs", "pytorch/pytorch#49917")(
    lambda: sentence_pairs(False)
)
right("sentence pairs: squared error of the cosine and a score", "huggingface/sentence-transformers#622")(
    lambda: sentence_pairs(True)
)


def driver(minus: bool):
    """An actor that is trained through a critic that stays as it is."""

    def forward(self: Part, states: Tensor) -> Tensor:
        return self.critic(torch.cat([states, self.actor(states)], 1))

    def actor_loss(q_values: Tensor, _) -> Tensor:
        return -q_values.mean() if minus else q_values.mean()

    critic = frozen(nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1)))
    return Part(forward, actor=mlp(2, nn.Tanh()), critic=critic), actor_loss, inputs(), None


TRUXIFY = "KanishJebaMathewM/Truxify#11885"
wrong("actor: the critic's value is made small", "better_outputs_cost_more", TRUXIFY)(lambda: driver(False))
right("actor: the critic's value is made great", TRUXIFY)(lambda: driver(True))


def anatomy(again: bool):
    """Anatomy and modality factors of scans in [-1, 1]; the modality must be found again in the reconstruction."""

    def modality(self: Part, a: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.m_encoder(torch.cat([a, x], 1)).chunk(2, 1)

    def forward(self: Part, x: Tensor) -> dict[str, Tensor]:
        a = self.a_encoder(x).softmax(1)
        mean, log_var = modality(self, a, x)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        rebuilt = self.decoder(a * self.scale(z)[:, :, None, None]).tanh()
        found = modality(self, self.a_encoder(rebuilt).softmax(1), rebuilt) if again else modality(self, a, x)
        return {"rebuilt": rebuilt, "z": z, "mean": mean, "log_var": log_var, "found": found[0]}

    def loss(out: dict[str, Tensor], x: Tensor) -> Tensor:
        regression = F.l1_loss(out["z"], out["found"])
        return F.l1_loss(out["rebuilt"], x) + 0.01 * divergence(out["mean"], out["log_var"]) + regression

    m_encoder = nn.Sequential(nn.Flatten(), nn.Linear(320, 32), nn.LeakyReLU(0.03), nn.Linear(32, 8))
    decoder = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
    parts = {"a_encoder": nn.Conv2d(1, 4, 3, padding=1), "m_encoder": m_encoder, "decoder": decoder}
    x = 2 * photos(8, 1) - 1
    return Part(forward, scale=nn.Linear(4, 4), **parts), loss, x, x


wrong("scans: the code is looked for in the input, not in the reconstruction", "wrong_formula", "spthermo/SDNet#2")(
    lambda: anatomy(False)
)
right("scans: the code is found again in the reconstruction", "spthermo/SDNet#2")(lambda: anatomy(True))


@wrong(
    "novelty detection: tanh pictures for real ones in 0 to 1", "range_wider_than_targets", "khalooei/ALOCC-CVPR2018#3"
)
def refined_digits():
    """A denoising generator with tanh against a discriminator, the generator's step."""
    z = (photos(8, 1) + 0.1 * torch.randn(N, 1, 8, 8)).clamp(0, 1)

    def forward(self: Part, z: Tensor) -> tuple[Tensor, Tensor]:
        refined = self.generator(z)
        return refined, self.discriminator(refined)

    def g_loss(outputs: tuple[Tensor, Tensor], z: Tensor) -> Tensor:
        refined, logits = outputs
        fool = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        return fool + 0.2 * F.binary_cross_entropy_with_logits(refined, z)

    convs = nn.Conv2d(1, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3, padding=1), nn.Tanh()
    discriminator = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    return Part(forward, generator=nn.Sequential(*convs), discriminator=frozen(discriminator)), g_loss, z, z


@right("VAE of digits: summed binary cross-entropy and divergence", "pytorch/examples#290")
def digits_vae():
    """The VAE of the PyTorch examples."""
    x = photos(8, 1)

    def loss(outputs: tuple[Tensor, ...], x: Tensor) -> Tensor:
        rebuilt, mean, log_var = outputs
        bce = F.binary_cross_entropy(rebuilt, x, reduction="sum")
        return bce - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())

    return vae(64, nn.Sigmoid()), loss, x, x


@right("distilled classifier: classes and a teacher's soft shares", "lucidrains/vit-pytorch#289")
def vit_student():
    """Distillation with a temperature, mixed half and half with the cross-entropy."""
    x = inputs()
    teacher = 3 * mlp(5)(x).detach()

    def loss(scores: Tensor, targets: tuple[Tensor, Tensor], heat: float = 3.0) -> Tensor:
        soft, log_p = F.softmax(targets[1] / heat, -1).detach(), F.log_softmax(scores / heat, -1)
        return 0.5 * F.cross_entropy(scores, targets[0]) + 0.5 * F.kl_div(log_p, soft, reduction="batchmean") * heat**2

    return mlp(5), loss, x, (teacher.argmax(1), teacher)


@right("policy gradient: logarithm of the chosen action times its return", "alessiodm/drl-zh#10")
def policy_gradient():
    """REINFORCE on actions and normalised returns."""
    returns = torch.randn(N)

    def loss(scores: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        return -(Categorical(logits=scores).log_prob(targets[0]) * targets[1]).sum()

    return mlp(4), loss, inputs(), (classes(4), (returns - returns.mean()) / returns.std())


@right("clipped policy: ratio from negative log-probabilities", "openai/baselines#652")
def clipped_policy():
    """PPO2 with the old minus the new negative logarithm, a value and an entropy term."""
    x, actions, returns = inputs(), classes(4), torch.randn(N)
    old = F.cross_entropy(torch.randn(N, 4) * 0.1, actions, reduction="none")
    gain = torch.randn(N)

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.policy(x), self.value(x)[:, 0]

    def loss(outputs: tuple[Tensor, Tensor], t: dict[str, Tensor]) -> Tensor:
        ratio = torch.exp(t["old"] - F.cross_entropy(outputs[0], t["actions"], reduction="none"))
        worst = torch.maximum(-t["gain"] * ratio, -t["gain"] * ratio.clamp(0.8, 1.2)).mean()
        return (
            worst + 0.5 * F.mse_loss(outputs[1], t["returns"]) - 0.01 * Categorical(logits=outputs[0]).entropy().mean()
        )

    targets = {"actions": actions, "old": old, "gain": gain, "returns": returns}
    return Part(forward, policy=mlp(4), value=mlp(1)), loss, x, targets


@right("boxes: a Gaussian likelihood that may be negative", "jwchoi384/Gaussian_YOLOv3#19")
def gaussian_boxes():
    """Means and variances of four numbers, the variance through softplus."""
    x = inputs()

    def forward(self: Part, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = self.net(x).chunk(2, 1)
        return mean, F.softplus(spread) + 1e-4

    def loss(outputs: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        return F.gaussian_nll_loss(outputs[0], y, outputs[1])

    return Part(forward, net=mlp(8)), loss, x, 0.2 * x[:, :4] + 0.02 * torch.randn(N, 4)


@right("counts: a Poisson likelihood of logarithms of rates", "pytorch/pytorch#1779")
def counts():
    """Counts whose rate depends on the inputs."""
    x = inputs()
    return mlp(1), nn.PoissonNLLLoss(), x, torch.poisson(torch.exp(0.5 * x[:, :1] + 1))


@right("Q-learning: target first, value second, in a squared error", "philtabor/Deep-Q-Learning-Paper-To-Code#19")
def swapped_q():
    """A Q-network with targets from a network that stays as it is."""
    states, following, done = inputs(), inputs(), (torch.rand(N) < 0.1).float()
    rewards = torch.randn(N)
    q_target = rewards + 0.99 * (1 - done) * mlp(3)(following).max(1).values.detach()

    def loss(q: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        q_pred = q[torch.arange(len(q)), targets[0]]
        return nn.MSELoss()(targets[1], q_pred)

    return mlp(3), loss, states, (classes(3), q_target)


@right("denoising decoder: the noise is the target", "bwconrad/decoder-denoising#3")
def noise_target():
    """A network that tells the noise that was added to pictures."""
    noise = torch.randn(N, 3, 8, 8)
    net = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1))
    return net, F.mse_loss, (photos() - 0.5) + 0.5 * noise, noise


@right("Siamese net: contrastive loss on a learnt distance, 1 for different pairs", "keras-team/keras-io#1050")
def siamese():
    """Pairs whose distance goes through a batch norm and a sigmoid."""
    a = inputs()
    differ = (torch.arange(N) % 2).float()
    b = torch.where(differ[:, None] == 1, inputs(), a + 0.1 * inputs())

    def forward(self: Part, a: Tensor, b: Tensor) -> Tensor:
        distance = F.pairwise_distance(self.tower(a), self.tower(b), keepdim=True)
        return torch.sigmoid(self.out(self.norm(distance)))

    def contrastive(y: Tensor, differ: Tensor, margin: float = 1.0) -> Tensor:
        return torch.mean((1 - differ) * y.square() + differ * (margin - y).clamp(min=0).square())

    return (
        Part(forward, tower=mlp(4), norm=nn.BatchNorm1d(1), out=nn.Linear(1, 1)),
        contrastive,
        (a, b),
        differ[:, None],
    )
