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
logits transposed or labels wrong; Bidirectional LSTM not learning for sequence labelling; GRU hidden state is not passed
on or never reset; Image colorization network outputs only sepia; forward returns the wrong variable, a layer is left
unused; Policy gradient not improving on CartPole, pytorch; encoder gets no gradient because of no_grad or argmax in
forward; Transformer classifier stuck at random accuracy; diffusion training loss bug, wrong noise or timestep target;
Loss increases with every epoch, custom loss function; value loss or advantage has the wrong shape, broadcast; Siamese
network loss constant; chamfer or earth mover distance loss bug in point cloud autoencoder; Variational autoencoder does
not learn anything, pytorch; heteroscedastic or log variance loss bug; Multi output model, one head predicts a constant;
class numbers off by one, last class never predicted; Segmentation model predicts everything as one class, accuracy
weird; entropy bonus or temperature loss has the wrong sign; Why do the weights of my model not change?; flatten or
reshape of features before the linear layer scrambles the batch; Physics informed neural network in pytorch, wrong
derivative; smooth or total variation or gradient loss computed wrongly; RNN language model perplexity does not
improve; hinge or ranking loss always zero; Binary classification with two outputs does not converge; normalisation
layer on the wrong axis or channel order bug; GAN discriminator outputs the same for real and fake.
"""
