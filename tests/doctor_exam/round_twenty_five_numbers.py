"""Set-ups of the twenty-fifth round (numbers), ordinary right ones, written without knowing the checks.

Linear regression, house prices, logistic regression, churn with a sigmoid, iris, rare fraud with pos_weight, store
sales with embedded categories, two targets at once, taxi fares with Huber, Poisson counts, quantiles, mean and variance,
Cox, discrete-time survival, LSTM forecast, linear many-step forecast, dilated convolutions, encoder-decoder GRU,
Transformer forecast, sensor activity, sequences of different lengths, autoencoder, LSTM autoencoder, matrix
factorisation, neural collaborative filtering, wide and deep clicks, BPR, next item, two towers, RankNet.
"""
