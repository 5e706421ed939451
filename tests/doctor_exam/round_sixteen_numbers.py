"""Set-ups of the sixteenth round (numbers, forecasts, sequences, reconstructions, embeddings), written blind.

Twenty-four searches, written down and committed before the first of them was made:

pytorch regression network predicts the same value for every input; my lstm predicts the mean of the time series,
flat line; regression loss does not go down mse stuck at the variance of the target; broadcasting warning using a target
size that is different to the input size mse loss not learning; autoencoder outputs the same image for every input;
vae reconstructions all look the same blurry mean, kl goes to zero; vae loss is negative or huge what is wrong with my
loss function; siamese network outputs the same embedding or distance for all pairs; triplet loss stuck at the margin
embeddings collapse; contrastive loss implementation not decreasing simclr nt-xent wrong; gru forecasting loss nan
after first epoch; gaussian nll loss negative or nan regression uncertainty network; mixture density network loss
becomes nan or negative; transformer time series forecasting validation loss too good suspiciously low leakage;
transformer decoder training loss goes to zero but inference gives garbage; seq2seq model loss not decreasing repeats
the same token; char rnn generates the same character loss does not decrease hidden state; lstm batch_first wrong
dimension not learning many to one; quantile regression pinball loss neural network predictions wrong; multi output
regression one of the outputs never learns; custom rmse loss nan gradient sqrt; matrix factorization recommender
predicts same rating for everything; learning to predict angles or coordinates or keypoints output constant; cosine
similarity loss goes down but the embeddings are all the same.

They gave too few, for many of their hits stand in earlier rounds; ten more, again before they were made:

price prediction pytorch loss huge or nan predictions all equal what did I do wrong; energy or traffic forecasting
graph network predictions are constant bug fixed; fix loss function autoencoder reconstruction wrong argument order;
fix triplet or contrastive loss sign or margin bug; lstm autoencoder reconstructs the same sequence for every input;
word2vec skip gram from scratch loss not decreasing negative sampling; kl divergence formula wrong sign fix vae;
attention weights all equal sequence regression softmax dimension fix; mask of padded steps in forecasting loss fix mean;
noise prediction network or flow regression output always near zero bug.
"""
