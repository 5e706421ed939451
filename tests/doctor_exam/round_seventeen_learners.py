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
"""
