"""Set-ups of an eighteenth round: learners' own networks, a sample of threads, written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; the odd ones in a list of pages, the
even ones in a list of issues, gone through in their order:

followed a tutorial but my network gives the same answer for everything; newbie question training runs but accuracy does
not improve at all; homework neural net only predicts one category why; xor network does not converge what is wrong with
my code; titanic or iris tutorial pytorch loss remains the same each epoch; house prices exercise predictions all equal
to the average; cats vs dogs own CNN cannot learn validation 50 percent; fashion mnist my own model loss 2.30 never
changes; char rnn name classification tutorial loss not improving what did I do wrong; following along the lecture my
GPT generates garbage bug in my code; DCGAN tutorial my generator only produces noise; weights do not update after
optimizer.step parameters unchanged; IMDB sentiment tutorial accuracy random BCELoss; stock price LSTM tutorial
prediction is flat; my unet youtube tutorial predicts black mask; cartpole tutorial agent gets worse during training;
why is my loss negative and keeps falling; loss goes down but accuracy does not change question; linear regression
example does not fit the line; neural network to approximate sine function flat curve; cannot overfit a single batch
help; seq2seq translation tutorial decoder repeats one token; mnist autoencoder tutorial grey reconstruction loss will
not drop; first layers get zero gradient in my own module why.

They gave too few, so twenty-four more were written down, again before they were made, pages and issues in turn:

pytorch beginner class Net(nn.Module) outputs always the same value what is wrong with my code; mistake in the notebook
model class forward function layer not used tutorial; pytorch forum my simple network does not learn anything solved;
course exercise solution loss function wrong students; stackoverflow pytorch binary classification all outputs zero or
one tutorial code; why does the tutorial use softmax with CrossEntropyLoss; my pytorch model predicts the mean of y for
all samples; I retyped the tutorial code and the loss does not go down; my implementation of a loss from its formula
pytorch question does not train; typo in lesson code model trains badly fix; LSTM beginner question pytorch generates
the same character; multi-head attention lesson implementation mistake mask or scale; GAN beginner question
discriminator loss goes to zero generator learns nothing; VAE exercise loss looks wrong in the notebook; DQN from
scratch pytorch question Q values explode; policy gradient exercise code sign or log prob mistake; unet from scratch
pytorch question same prediction for all pixels; segmentation lesson output has no sigmoid loss wrong; transfer learning
own head question pytorch accuracy at chance; question about batch dimension in the rnn lesson hidden state; weights
initialised to zero question all neurons the same pytorch; autoencoder notebook output activation does not match input
range; siamese network question pytorch distances all zero contrastive; word2vec skip gram negative sampling lesson loss
wrong.

Reading on needed six look-ups. Eight last searches were then written down, in turn of issues and of pages:

why is there a relu after the last layer in the example network; discuss pytorch my first model always predicts 0.5; bug
in the transformer from scratch notebook residual or norm; stackoverflow pytorch lstm beginner loss stuck input shape
view; GAN lesson notebook question real and fake labels; my linear regression in pytorch loss is nan or huge beginner;
VAE tutorial code standard deviation or variance question; is the done flag missing in the DQN lesson target (issues).

They gave 23 wrong ones out of some 550 hits; for fifteen of them the repository or its history was read. Every thread
was kept in which an answer or the code shows a cause that lies in the model, the loss or the first batch, also where
several have the same (two sigmoids, the end of a game). Left out: no cause named, or a title without a text (most);
pages of advice, courses and tutorials without a fault; fifteen threads that stand in earlier rounds; steps, seeds, data
and measuring, among them two losses that are only printed; errors that PyTorch raises at once; choices that train
either way (a ReLU behind scores that are averaged, a residual taken a layer earlier, scores that are not scaled, no
target network, labels of 1 for what is made).

The names are those of the sentences and of earlier rounds, chosen before any score. No sentence says that vectors are
added where they should be multiplied, so wrong_formula stands there; the skipped layer of drawn weights has a slope
from its prior alone; a prompt's zeros take part, whatever stood there before. Three learn small tasks as well with
their slip (poems, birds, a translator's heads); it is one all the same. Three networks with slopes by hand, numpy's,
became a function with a backward of its own, and even and odd numbers became large and small ones, which two neurons
can learn. For skip-gram the thread blames a sign; the sum before the logarithm is read from the code. Prompts, drawn
weights, drawn words and a word at a point are rebuilt from their threads' words. Further slips of the two streams, the
pendulum and the subjects are mended in both.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from doctor_exam.case import CaseSet
from doctor_exam.round_eighteen_learners_builds import (
    birds,
    cat_or_not,
    drawn_weights,
    house_prices,
    made_up_regression,
    next_words,
    one_neuron,
    organs,
    pairs_of_words,
    pictures_of_prompts,
    poems,
    reviews,
    roads,
    started,
    subjects,
    two_neurons,
)
from doctor_exam.round_eighteen_learners_parts import N, binary_crossentropy, classes_of
from doctor_exam.round_parts import Part

EIGHTEEN_LEARNERS = CaseSet()
right, wrong = EIGHTEEN_LEARNERS.right, EIGHTEEN_LEARNERS.wrong


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


def words_and_noise(stable: bool):
    """Skip-gram with drawn words, the logarithm taken of a sigmoid."""

    def forward(self: Part, words: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        return self.in_embed(words), self.out_embed(others)

    def log_sigmoid(x: Tensor) -> Tensor:
        return F.logsigmoid(x) if stable else x.sigmoid().log()

    def loss(vectors: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        input_vectors, output_vectors = vectors[0].unsqueeze(2), vectors[1][y == 1].unsqueeze(1)
        noise_vectors = vectors[1][y == 0].view(N, 5, -1)
        out_loss = log_sigmoid(torch.bmm(output_vectors, input_vectors)).squeeze()
        noise_loss = log_sigmoid(torch.bmm(noise_vectors.neg(), input_vectors)).squeeze().sum(1)
        return -(out_loss + noise_loss).mean()

    model, words = Part(forward, in_embed=nn.Embedding(12, 24), out_embed=nn.Embedding(12, 24)), torch.arange(N) % 12
    for table in (model.in_embed, model.out_embed):
        table.weight.data.uniform_(-1, 1)
    others = torch.cat([(words[:, None] + 1) % 12, (words[:, None] + torch.randint(2, 12, (N, 5))) % 12], 1)
    return model, loss, (words, others), (torch.arange(6) == 0).long().repeat(N, 1)


def word_and_point(multiplied: bool):
    """Does a word stand at a point? Its vector and the point's are multiplied, or added, and all is summed up."""

    def forward(self: Part, index: Tensor, point: Tensor) -> Tensor:
        embedding, embedpoint = self.embedding(index), self.embedpoint(point)
        merge = embedding * embedpoint if multiplied else embedding + embedpoint
        return torch.sigmoid(merge.sum(1))

    index, point = torch.arange(64) % 8, torch.arange(64) // 8
    model = Part(forward, embedding=nn.Embedding(8, 12), embedpoint=nn.Embedding(8, 12))
    return model, nn.MSELoss(), (index, point), ((index - point) % 2).float()


def clothes(free: bool):
    """Clothes by two convolutions and one layer, with a ReLU before the log-softmax or without."""

    def forward(self: Part, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.fc1(x.view(x.size(0), -1))
        return F.log_softmax(x if free else F.relu(x), dim=1)

    x = torch.rand(N, 1, 14, 14)
    model = Part(forward, conv1=nn.Conv2d(1, 6, 3), conv2=nn.Conv2d(6, 12, 3), fc1=nn.Linear(48, 10))
    return model, nn.NLLLoss(), x, classes_of(x - 0.5, 10)


def two_measurements(scaled: bool):
    """Yes or no from two measurements around 92, by two layers with sigmoids."""
    x = 92 + 12 * torch.randn(N, 2)
    y = (x.sum(1, keepdim=True) > 184).float()
    layers = nn.Linear(2, 12), nn.Sigmoid(), nn.Linear(12, 1), nn.Sigmoid()
    return nn.Sequential(*layers), nn.BCELoss(), (x - x.mean()) / x.std() if scaled else x, y


def bricks(inward: bool):
    """A discriminator of pictures of bricks; noise is put on its labels, inward or outward."""

    def forward(self: Part, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self.discriminator(real), self.discriminator(fake)

    def loss(predictions: tuple[Tensor, Tensor], noisy_labels: tuple[Tensor, Tensor]) -> Tensor:
        d_real_loss, d_fake_loss = map(binary_crossentropy, predictions, noisy_labels)
        return (d_real_loss + d_fake_loss) / 2.0

    real, fake, sign = 0.4 + 0.5 * torch.randn(N, 1, 8, 8).tanh(), torch.randn(N, 1, 8, 8).tanh(), -1 if inward else 1
    discriminator = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 4, 2, 1),
                                  nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 2), nn.Sigmoid(), nn.Flatten())  # fmt: skip
    noisy = 1 + sign * 0.1 * torch.rand(N, 1), -sign * 0.1 * torch.rand(N, 1)
    return Part(forward, discriminator=discriminator), loss, (real, fake), noisy


def two_streams(ends: bool):
    """What actions are worth, by a value and advantages; the worth of what follows counts after the end, or not."""

    def q(self: Part, state: Tensor) -> Tensor:
        features = self.feature_layer(state)
        advantages = self.advantage_stream(features)
        return self.value_stream(features) + (advantages - advantages.mean(1, keepdim=True))

    def loss(qvals: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        actions, rewards, dones = batch
        curr_q = qvals[0].gather(1, actions.unsqueeze(1)).squeeze(1)
        max_next_q = torch.max(qvals[1], 1)[0]
        if ends:
            max_next_q = (1 - dones) * max_next_q
        return F.mse_loss(curr_q, rewards + 0.9 * max_next_q)

    model = Part(lambda self, states, next_states: (q(self, states), q(self, next_states).detach()),
                 feature_layer=nn.Sequential(nn.Linear(4, 32), nn.ReLU()), value_stream=nn.Linear(32, 1),
                 advantage_stream=nn.Linear(32, 3))  # fmt: skip
    states, actions = torch.randn(N, 4), torch.arange(N) % 3
    next_states = states + 0.1 * torch.randn(N, 4)
    return model, loss, (states, next_states), (actions, states[:, 0] * (actions - 1), (torch.rand(N) < 0.7).float())


def pendulum(ends: bool):
    """A critic of a pendulum's actions and its slow copies; the worth of what follows counts after the end, or not."""

    def q(layers: nn.ModuleDict, x: Tensor, a: Tensor) -> Tensor:
        cat = torch.cat([F.relu(layers["fc_s"](x)), F.relu(layers["fc_a"](a))], dim=1)
        return layers["fc_out"](F.relu(layers["fc_q"](cat)))

    def critic() -> nn.ModuleDict:
        sizes = {"fc_s": (3, 16), "fc_a": (1, 16), "fc_q": (32, 16), "fc_out": (16, 1)}
        return nn.ModuleDict({name: nn.Linear(*size) for name, size in sizes.items()})

    def forward(self: Part, s: Tensor, a: Tensor, s_prime: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            later = q(self.q_target, s_prime, self.mu_target(s_prime) * 2)
        return q(self.q, s, a), later

    def loss(values: tuple[Tensor, Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
        r, done_mask = batch
        target = r + 0.99 * (values[1] * done_mask if ends else values[1])
        return F.smooth_l1_loss(values[0], target.detach())

    mu_target = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1), nn.Tanh())
    model = Part(forward, q=critic(), q_target=critic().requires_grad_(False), mu_target=mu_target)
    model.mu_target.requires_grad_(False)
    s, a = torch.randn(N, 3), 2 * torch.rand(N, 1) - 1
    r = -(s[:, :1] ** 2) - 0.1 * a**2
    return model, loss, (s, a, s + 0.1 * torch.randn(N, 3)), (r, (torch.rand(N, 1) > 0.3).float())


def read_signs():
    """Letters of a picture of a word, in turn, as raw scores."""
    rnn, prediction = nn.GRU(8, 16, batch_first=True, bidirectional=True), nn.Linear(32, 10)
    model = Part(lambda self, x: self.prediction(self.rnn(x)[0]), rnn=rnn, prediction=prediction)
    x, criterion = torch.randn(N, 6, 8), nn.CrossEntropyLoss(ignore_index=0)
    letters = 1 + (x @ torch.randn(8, 9)).argmax(2)
    return model, lambda preds, y: criterion(preds.view(-1, preds.shape[-1]), y.contiguous().view(-1)), x, letters


def pixels():
    """Pictures between 0 and 1 by an autoencoder that ends in a sigmoid."""
    x = torch.sigmoid(torch.randn(N, 3) @ torch.randn(3, 36))
    return nn.Sequential(nn.Linear(36, 12), nn.ReLU(), nn.Linear(12, 36), nn.Sigmoid()), nn.MSELoss(), x, x


SIGMOID = "sigmoid_before_cross_entropy|activation_twice"
RELU = "relu_before_activation|relu_before_cross_entropy|bounded_logits|dead_layer"

both("vanzytay/pytorch_sentiment_rnn#3", "softmax_before_cross_entropy|activation_twice", reviews,
     "reviews of dishes: a softmax before the loss", "reviews: raw scores")  # fmt: skip
both("datascience.stackexchange.com/questions/25394", "wrong_formula", one_neuron,
     "one neuron by hand: the slope from its own output", "one neuron by hand: the slope from its input")  # fmt: skip
both("stats.stackexchange.com/questions/464262", "wrong_formula", two_neurons,
     "two neurons by hand: a weight as its own slope", "two neurons by hand: slopes from inputs")  # fmt: skip
both("lengyueit/gpt-mini#2", "weights_without_gradient", poems,
     "poems: every block reads the words' vectors", "poems: every block reads the one before it")  # fmt: skip
both("openillumi.com/en/en-keras-tf-fix-huge-negative-loss-regression", "targets_outside_unit_range", house_prices,
     "prices as if they were yes or no", "prices as numbers")  # fmt: skip
both("zackchase/mxnet-the-straight-dope#507", "weights_without_gradient", drawn_weights,
     "drawn weights: the second hidden layer is skipped", "drawn weights: all hidden layers")  # fmt: skip
both("Kulbear/deep-learning-coursera#40", "wrong_formula", cat_or_not,
     "a course's backward pass starts anew at each layer", "a course's backward pass by the chain rule")  # fmt: skip
both("fanglanting/skip-gram-pytorch#4", "wrong_formula", pairs_of_words,
     "skip-gram: drawn words are summed before the log", "skip-gram: each drawn word has its log")  # fmt: skip
both("KKKSQJ/DeepLearning#1", "softmax_wrong_axis", birds,
     "birds: attention sums to one over the heads", "birds: attention sums to one over the places")  # fmt: skip
both("ethen8181/machine-learning#13", "weights_without_gradient", next_words,
     "a translator's heads: their last layer is not handed on", "a translator's heads: with a last layer")  # fmt: skip
both("keitakurita/Practical_NLP_in_PyTorch#8", "unused_input|padding_attended", subjects,
     "subjects: the heads forget the mask", "subjects: the heads hand the mask on")  # fmt: skip
both("ostris/ai-toolkit#161", "padding_attended|mask_before_softmax", pictures_of_prompts,
     "prompts: what fills up is set to zero", "prompts: what fills up is hidden")  # fmt: skip
both("hustvl/YOLOP#141", SIGMOID, roads, "roads: two sigmoids", "roads: one sigmoid")
both("Mengqi-Lei/ConDSeg#17", SIGMOID, organs, "organs: two sigmoids", "organs: one sigmoid")
both("community.deeplearning.ai/t/431799", "units_all_alike|outputs_ignore_inputs|dead_layer|zero_gradient", started,
     "three layers start at zero", "three layers start at random")  # fmt: skip
both("AayushSameerShah/D1L-AI", "shapes_broadcast", made_up_regression,
     "a line: a column less a row", "a line: a row less a row")  # fmt: skip
both("udacity/deep-learning-v2-pytorch#199", "unstable_formula|loss_not_finite", words_and_noise,
     "drawn words: the log of a sigmoid", "drawn words: the log-sigmoid")  # fmt: skip
both("niitsuma/word2vec-keras-in-gensim#6", "wrong_formula", word_and_point,
     "a word at a point: their vectors are added", "a word at a point: their vectors are multiplied")  # fmt: skip
both("udacity/CVND_Exercises#2", RELU, clothes, "clothes: a ReLU before the log-softmax", "clothes: no ReLU at the end")
both("python.19633.com/es/Python/1002052967.html", "inputs_not_scaled|saturated_units", two_measurements,
     "two measurements as they are", "two measurements, standardised")  # fmt: skip
both("davidADSP/Generative_Deep_Learning_2nd_Edition#50", "targets_outside_unit_range", bricks,
     "bricks: noise puts labels above 1 and below 0", "bricks: noise puts labels between 0 and 1")  # fmt: skip
both("cyoon1729/deep-Q-networks#6", "unused_target", two_streams,
     "two streams: no end of a game", "two streams: a game ends")  # fmt: skip
both("seungeunrho/minimalRL#21", "unused_target", pendulum,
     "a pendulum: the end is not used", "a pendulum: the end is used")  # fmt: skip
right("letters of a word as raw scores", "clovaai/deep-text-recognition-benchmark#136")(read_signs)
right("pixels by a sigmoid", "nathanhubens/Autoencoders#2")(pixels)
