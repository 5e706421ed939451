"""Set-ups of the twenty-sixth round (student), ordinary right ones, written without knowing the checks.

1 iris flowers; 2 one-feature regression; 3 house prices; 4 Titanic survivors; 5 MNIST by a plain network;
6 MNIST by a CNN; 7 CIFAR-10 by a CNN; 8 cats and dogs; 9 transfer learning with frozen features; 10 film reviews by an
LSTM; 11 news topics by a bag of words; 12 names to languages; 13 character text generation; 14 sine wave forecast;
15 temperature of several days; 16 autoencoder of digits; 17 variational autoencoder; 18 film ratings by factors;
19 U-Net of pets; 20 CartPole's Q network.
"""
