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
"""
