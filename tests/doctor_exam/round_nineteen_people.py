"""Set-ups of the nineteenth round (anybody's network that trains without an error and does not work), written blind.

Twenty-four searches, written down and committed before the first of them was made; the odd ones in a list of issues,
the even ones in a list of pages, gone through in their order:

trains fine without a crash yet predictions are useless, found my mistake; neural network output barely changes between
different inputs, solved, it was the; every prediction identical after training, trying to reproduce the paper; speech
emotion recognition network stays at chance level; rainfall or weather nowcasting network gives blank frames; chess or
board game policy value network does not get stronger, loss; head pose or gaze estimation error does not come down;
super resolution or denoising network returns a grey image; named entity tagger says O for everything; question
answering span start end network loss plateau; image captioning model ignores the image; OCR CRNN outputs only blanks;
physics informed network converges to the trivial solution; graph neural network for molecules property stuck at mean;
sampled digits from the decoder all look alike; diffusion model from scratch samples are pure noise; actor critic or ppo
agent reward never rises, mistake in the loss; my translation model BLEU is zero; critic loss grows without bound WGAN;
object detector from scratch yolo, boxes all in one corner; recommender or ctr network AUC stays 0.5; speaker or face
verification embeddings not discriminative; depth or optical flow network outputs a constant map; keras custom loss
returns a wrong value, model learns nothing.

They gave next to nothing, so twenty-four more were written down, again before they were made, pages and issues in turn:

hi, I am new to pytorch, my loss goes down a little and then stays, class Model(nn.Module) def forward, where is my
error; DQN training unstable, question about the target computation in learn(); I wrote the attention layer myself in
pytorch but results are bad, please check my code; text classification accuracy does not rise, question about the
model's forward; my own convolutional LSTM cell in pytorch does not learn, code below; is the loss function in this
repository correct, seems to have the wrong sign; pytorch network fits a straight line to a curve, code and answer;
autoencoder loss too high, question about the output layer; why is the output of my network always between 0.4 and 0.6,
pytorch code and answer; graph attention layer question, results worse than the paper; custom autograd Function backward
wrong, my network does not converge; segmentation loss stays the same, possible bug in losses.py; my residual network
from the paper performs badly, what did I do wrong, code; keypoint network loss falls but heatmaps are empty, bug in the
loss; several losses in one training loop, one of them has no influence, pytorch; speech enhancement or separation,
si-snr loss bug; parameters of my submodules are not trained, list of layers, forum; sequential recommendation or
knowledge tracing, bug in the loss mask; bounding box regression in pytorch gives always the same box, answer; possible
bug in the attention, softmax dimension; embedding and rnn in pytorch, order of words lost, wrong permute or view,
answer; loss code of embedding learning differs from the paper, question; GAN in pytorch, generator loss keeps rising,
detach in the wrong place, forum answer; SAC, DDPG or TD3 implementation bug, does not learn.

They gave about a dozen of the wrong ones, so thirty-two more were written down, again before they were made, issues and
pages in turn:

repeat instead of repeat_interleave, samples paired with the wrong rows; Why is my CNN regression output constant?; MLP
head without activation between its linear layers; Attention weights are uniform, what is wrong?; CLIP style loss,
logits transposed or labels wrong; Bidirectional LSTM not learning for sequence labelling; GRU hidden state is not
passed on or never reset; Image colorization network outputs only sepia; forward returns the wrong variable, a layer is
left unused; Policy gradient not improving on CartPole, pytorch; encoder gets no gradient because of no_grad or argmax
in forward; Transformer classifier stuck at random accuracy; diffusion training loss bug, wrong noise or timestep
target; Loss increases with every epoch, custom loss function; value loss or advantage has the wrong shape, broadcast;
Siamese network loss constant; chamfer or earth mover distance loss bug in point cloud autoencoder; Variational
autoencoder does not learn anything, pytorch; heteroscedastic or log variance loss bug; Multi output model, one head
predicts a constant; class numbers off by one, last class never predicted; Segmentation model predicts everything as one
class, accuracy weird; entropy bonus or temperature loss has the wrong sign; Why do the weights of my model not change?;
flatten or reshape of features before the linear layer scrambles the batch; Physics informed neural network in pytorch,
wrong derivative; smooth or total variation or gradient loss computed wrongly; RNN language model perplexity does not
improve; hinge or ranking loss always zero; Binary classification with two outputs does not converge; normalisation
layer on the wrong axis or channel order bug; GAN discriminator outputs the same for real and fake.

Each was made in the one list that it stands for, eighty look-ups in all, and the hits were gone through in their order.
At the eleventh search of the third list twenty-four wrong ones were together; it was read to its end all the same, so
that there are thirty-three. The pages gave two of them. For some forty threads the repository or its history was read.
Every hit was kept in which an answer, the history or the code shows a cause that lies in the model, the loss or the
batch, also where several have the same: a layer that is not used, four times linear layers with nothing between them.
Where the answer, or a look at the code, is that all is well, some stand among the right ones; the thread of the angles,
too, complains of a sign that is right, and its slip is one that the history mends.

Left out of some seven hundred and seventy hits: no cause named, or a title without a text whose history shows none
(most); pages of advice, lessons and papers; other subjects in the same words (about a hundred and twenty); threads that
stand in earlier rounds (about twenty); questions whose answer is that all is well (about thirty, of which six stand
here); steps, seeds, data, versions and measuring (about thirty); errors that PyTorch raises at once (five); choices
that train either way (about fifteen: no target network or no baseline, attention without its scale, a normalisation
over another axis, a final layer that the loss holds already, linear layers meant as they are); a mask that was left
from an earlier picture, patches of the only picture of a batch in a wrong order, and other languages (one or two each).

Code of TensorFlow, JAX and Lasagne is written anew with torch in the same steps. Further slips are mended in both: an
entropy of the chosen or likeliest word only (assistants), a dropout that never stops (accidents), an activation behind
the last layer (a table), too large a start (digits by matrices); the term of a prior (what pictures tell) and a line
without effect (clean sounds) are left out. The binder has a term for its sequence beside the one in question, and the
ordered texts' right batch has some that are better. The names of the findings are those of the sentences, chosen before
any score.
"""

from collections.abc import Callable

from doctor_exam import round_nineteen_people_builds as first
from doctor_exam import round_nineteen_people_last as last
from doctor_exam import round_nineteen_people_more as more
from doctor_exam.case import CaseSet

NINETEEN_PEOPLE = CaseSet()
right, wrong = NINETEEN_PEOPLE.right, NINETEEN_PEOPLE.wrong
UNUSED = "weights_without_gradient"
MASK = "padding_not_ignored|wrong_formula"


def both(source: str, code: str, build: Callable, slip: str, repaired: str) -> None:
    """Register a set-up with its slip and without it."""
    wrong(slip, code, source)(lambda: build(False))
    right(repaired, source)(lambda: build(True))


both("escalante-bio/mosaic#29", "better_outputs_cost_more|wrong_formula", first.binder,
     "a binder: how well it fits is added to the loss", "a binder: how well it fits is taken off")  # fmt: skip
both("11-626/Deep-INFOMAX#1", "unbounded_loss|wrong_formula|better_outputs_cost_more", first.what_pictures_tell,
     "what pictures tell: a minus before the term of the others", "what pictures tell: no minus there")  # fmt: skip
both("kiankd/corel2019#1", "wrong_formula", first.angles_to_classes,
     "angles to classes: the vectors have the length 1 across the classes",
     "angles to classes: each class's vector has the length 1")  # fmt: skip
both("lukasruff/Deep-SVDD-PyTorch#18", "range_cannot_reach_targets", first.learnt_normal,
     "normal pictures: standardised, and a sigmoid at the end", "normal pictures: from 0 to 1")  # fmt: skip
both("csteinmetz1/auraloss#4", "loss_not_finite|loss_is_constant|gradient_not_finite", first.clean_sounds,
     "clean sounds: the mean over the one channel is taken off", "clean sounds: the mean over time")  # fmt: skip
both("google-deepmind/neural_networks_solomonoff_induction#4", MASK, first.what_programs_write,
     "what programs write: the mask keeps what it should skip", "what programs write: it skips")  # fmt: skip
both("mll-lab-nu/RAGEN#71", MASK, first.turns,
     "an agent's turns: the world's words are learnt", "an agent's turns: its own words are learnt")  # fmt: skip
both("labmlai/annotated_deep_learning_paper_implementations#146", "softmax_wrong_axis", first.noise_of_pictures,
     "noise of pictures: attention shared out among those that ask",
     "noise of pictures: attention shared out among those asked")  # fmt: skip
both("hexiangnan/attentional_factorization_machine#19", "softmax_over_one_output", first.pairs_of_features,
     "pairs of features: a softmax over one score", "pairs of features: a softmax over all pairs")  # fmt: skip
both("zhanghang1989/PyTorch-Encoding#115", "softmax_wrong_axis", first.textures,
     "textures: a code word is shared out among the places", "textures: a place among the code words")  # fmt: skip
both("exalearn/EXARL#257", "unused_target|wrong_formula", first.worth_of_moves,
     "worth of moves: a game goes on behind its end", "worth of moves: nothing follows the end")  # fmt: skip
both("somepago/saint#23", "no_activation_between", first.rows_of_a_table,
     "rows of a table: three linear layers at the end", "rows of a table: ReLUs between them")  # fmt: skip
both("aymericdamien/TensorFlow-Examples#270", "no_activation_between", first.digits_raw,
     "digits by matrices: nothing between the products", "digits by matrices: ReLUs between them")  # fmt: skip
both("wyhsirius/LIA#11", "no_activation_between", first.moved_faces,
     "moved faces: five linear layers in a row", "moved faces: five layers with activations")  # fmt: skip
both("Rocketknight1/minimal_lczero#1", "no_activation_between", first.chances_of_a_game,
     "chances of a game: two linear layers in a row", "chances of a game: a ReLU between the two")  # fmt: skip
both("Zasder3/train-CLIP#3", "outputs_too_large|wrong_formula", more.pictures_and_titles,
     "pictures and titles: vectors of any length", "pictures and titles: vectors of length 1")  # fmt: skip
both("benedekrozemberczki/pytorch_geometric_temporal#145", UNUSED, more.illness_in_counties,
     "illness in counties: each step starts from zeros", "illness in counties: the state is handed on")  # fmt: skip
both("JWFanggit/LOTVS-CAP#9", UNUSED, more.accidents,
     "accidents: each frame is read with the first state", "accidents: the state goes from frame to frame")  # fmt: skip
both("inria-thoth/HySUPP#3", UNUSED, more.shares_of_minerals,
     "shares of minerals: the second layer is passed over", "shares of minerals: all layers are called")  # fmt: skip
both("NoamRosenberg/autodeeplab#21", UNUSED, more.searched_layers,
     "searched layers: the last cells are never called", "searched layers: all cells are called")  # fmt: skip
both("social-ai-uoft/sorrel#7", "weights_without_gradient|changed_in_place", more.noisy_moves,
     "noisy moves: noise is added to the bias itself", "noisy moves: noise is added to a copy")  # fmt: skip
both("Good9T/MD_MTA#3", UNUSED, more.tours,
     "tours: each layer reads the depots anew", "tours: each layer reads what the one before made")  # fmt: skip
both("skaae/recurrent-spatial-transformer-code#3", UNUSED, more.three_digits,
     "three digits: the third convolution is not read", "three digits: the third convolution is read")  # fmt: skip
both("rll-research/cic#5", UNUSED, more.skills,
     "skills: pictures are encoded under no_grad", "skills: the encoder learns, too")  # fmt: skip
both("lebrice/Sequoia#77", UNUSED, more.moves_by_a_head,
     "moves by a head: the features are detached", "moves by a head: the features are attached")  # fmt: skip
both("discuss.pytorch.org/t/transformer-based-ocr-model-not-learning/122218", "samples_mixed", more.words_of_digits,
     "words of digits: places come first by a reshape", "words of digits: places come first by permute")  # fmt: skip
both("charlesq34/pointnet-autoencoder#15", "wrong_formula|axes_scrambled", last.shapes,
     "shapes: distances between axes, not between points", "shapes: distances between points")  # fmt: skip
both("ThibaultGROUEIX/ChamferDistancePytorch#32", "wrong_formula", last.flat_shapes,
     "flat shapes: the best of the batch counts alone", "flat shapes: all of the batch count")  # fmt: skip
both("nebuly-ai/optimate#250", "wrong_formula", last.answers,
     "answers: an entropy without its minus", "answers: an entropy with its minus")  # fmt: skip
both("NJUxlj/Travel-Agent-based-on-Qwen2-RLHF#2", "wrong_formula", last.chosen_words,
     "chosen words: the entropy is added to the loss", "chosen words: the entropy is taken off")  # fmt: skip
both("discuss.pytorch.org/t/2nd-order-differential-for-pinn-model/117834", "wrong_formula", last.warm_rod,
     "a warm rod: the slopes of both slopes together", "a warm rod: the slope of one slope")  # fmt: skip
both("NTMC-Community/MatchZoo-py#159", "wrong_formula", last.fitting_texts,
     "fitting texts: the mean of those that do not fit", "fitting texts: each that does not fit")  # fmt: skip
both("huggingface/sentence-transformers#4032", "loss_not_finite", last.ordered_texts,
     "ordered texts: all are as good, and no pair is left", "ordered texts: some are better")  # fmt: skip
for source, name, build in (
    ("graviraja/pytorch-sample-codes#6", "drawn digits: a divergence with its signs turned", last.drawn_digits),
    ("danielegrattarola/spektral#85", "attending nodes: scores of two parts", last.attending_nodes),
    ("tim-learn/SHOT#6", "another domain: sure answers that differ", last.another_domain),
    ("beyondguo/label_confusion_learning#3", "confused labels: two cross-entropies", last.confused_labels),
    ("dennybritz/cnn-text-classification-tf#35", "a text by filters of three widths", last.text_by_filters),
    ("Laknath1996/DeepPhaseUnwrap#1", "phases: an error that may be shifted", last.unwrapped),
):
    right(name, source)(build)
