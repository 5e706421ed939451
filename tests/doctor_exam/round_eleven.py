"""Set-ups of an eleventh round, a systematic sample of public threads: symptoms as people word them.

Thirty-five searches, written down before the first of them was made; two lists of hits for each, of issues and of
pages, gone through in their order:

loss not decreasing pytorch; model predicts same class for every input; accuracy stuck at 50 percent binary classifier;
loss is nan after first batch; loss becomes negative; val loss constant every epoch; output always 0.5; gradients are
none after backward; regression predicts the mean; segmentation predicts only background; loss goes down accuracy does
not change; softmax cross entropy wrong; BCEWithLogitsLoss always same loss; multi label all zeros; LSTM does not learn;
transformer loss plateau; autoencoder output gray; GAN discriminator loss zero; DQN loss explode; siamese network same
embedding; triplet loss stuck at margin; loss stuck at 2.303; weights do not update; cannot overfit single batch; custom
loss function does not train; target size different to input size warning mse; network fails to learn xor; network fails
to learn sine; vae reconstructions all the same; policy gradient does not improve; loss always zero; seq2seq repeats
same token; mnist accuracy 10 percent; time series forecast flat line; student distillation does not learn.

They gave fewer than half of the set-ups wanted, for short wordings bring titles without a thread. So twenty-two more were
written down, again before the first of them was made: my model is not learning what am I doing wrong pytorch forum;
pytorch binary classification loss not decreasing answer; pytorch regression outputs the same value answer; pytorch cnn
does not learn answer; pytorch lstm loss does not decrease answer; keras model does not learn answer; bug in the loss
function; loss computed incorrectly; mistake in forward of the model; fix nan in loss; question about loss implementation
should it be; unet pytorch output all black; autoencoder pytorch not learning; vae loss bug; gan training bug generator
loss; actor critic does not learn bug; contrastive loss bug; focal loss implementation bug; dice loss bug; attention mask
bug training; fine tuning bert predicts the same label bug; loss averaged incorrectly over batch.
"""
