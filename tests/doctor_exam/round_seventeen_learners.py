"""Set-ups of the seventeenth round (learners after a course or tutorial), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
pages and of issues, gone through in their order:

pytorch tutorial neural network loss not decreasing what am I doing wrong; my network predicts the same class for
every input pytorch; binary classification pytorch accuracy stuck at 50 percent; pytorch linear regression loss does
not go down predictions all the same; xor neural network pytorch does not learn; titanic pytorch model predicts all
zeros; mnist from scratch accuracy stays at 10 percent pytorch; pytorch lstm time series prediction flat line output;
char rnn pytorch generates same character over and over; sentiment analysis lstm pytorch not learning accuracy 50;
unet segmentation predicts all black mask pytorch; dcgan tutorial discriminator loss goes to zero generator does not
learn; variational autoencoder pytorch outputs same blurry image for every input; transformer from scratch course loss
stuck not learning; dqn cartpole tutorial pytorch not learning reward not improving; policy gradient reinforce pytorch
homework not learning; image captioning course project model repeats same word; loss goes negative pytorch why; loss
is nan after first iteration pytorch beginner; my custom loss function pytorch does not train weights not updating;
weights do not change after optimizer step grad is None pytorch; multi label classification pytorch model predicts
all zeros; autoencoder loss stuck does not reconstruct pytorch beginner; training accuracy does not improve softmax
cross entropy loss pytorch question.

They gave too few, so twenty-six more were written down, again before they were made:

regression network predicts the mean of the targets for every input my code; LSTM always predicts same values for all
inputs in the batch; rnn sequence classification not learning init_hidden my model; binary classifier outputs the same
probability for everything nn.BCELoss sigmoid forward; simple cnn cifar10 loss stuck at 2.303; cat vs dog cnn loss
stays at 0.69 my model; loss the same every epoch parameters not updating my training loop; my first neural network
does not converge layers in a python list; conv autoencoder outputs gray images my implementation; vae my
implementation kl loss goes to zero reconstructs the mean; gan my implementation generator does not improve loss
detach; actor critic my implementation does not learn cartpole; seq2seq decoder predicts only end of sentence token my
implementation; transformer encoder classifier predicts the same class my implementation; siamese network contrastive
loss distance goes to zero same embedding; triplet loss stuck at margin my network; text classifier embedding loss not
decreasing log softmax; logistic regression from scratch pytorch loss increases; cross entropy from scratch fastai loss
negative or nan; segmentation my own dice loss not decreasing; word2vec skip gram from scratch pytorch does not learn;
physics informed network beginner wrong solution; image captioning decoder my implementation loss low but captions
wrong; name entity or pos tagger lstm predicts one tag; mnist gan or diffusion from scratch outputs noise; object
localization bounding box regression course project predicts the same box.

Still too few, so sixteen more, again before they were made:

udacity nanodegree project loss does not go down my network; fastai course lesson my own model accuracy not improving;
cs231n pytorch assignment network accuracy ten percent; andrej karpathy makemore or gpt lecture my loss does not go
down; hugging face course training loop own head accuracy does not change; deep q learning lunar lander pytorch my agent
does not learn q values explode; names classification rnn tutorial own version always predicts one language; multi
class classification accuracy stays low my last layer relu or softmax or sigmoid; house price regression pytorch loss
huge negative r2 predictions constant; stock price lstm pytorch loss stuck target shape; fashion mnist beginner loss
not decreasing nll_loss; custom layer nn.Parameter not learning requires_grad; polynomial or sine fitting pytorch
network outputs flat line; batch of images network same output batchnorm or dropout or initialisation zeros; video or
audio classification pytorch student project loss does not decrease; two losses multi task student project one head
does not learn.
"""
