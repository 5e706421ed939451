"""Set-ups of the twenty-fifth round (tutorials), ordinary right ones, written without knowing the checks.

In a learner's order: a line, linear regression, thermometers, circles, blobs, irises, diabetes, California's houses,
house prices, softmax regression of clothes, a plain network of digits, convolutions of digits, birds and airplanes,
TinyVGG, a residual network, transfer learning, several labels per picture, autoencoder, variational autoencoder,
names by letters, bags of words, film reviews with an LSTM, airline passengers, makemore, a small GPT,
translation with attention, BERT on pairs of sentences, U-Net, ratings of films, CartPole with a Q network.
"""
