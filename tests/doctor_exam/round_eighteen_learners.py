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
"""
