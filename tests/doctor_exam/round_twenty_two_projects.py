"""Set-ups of the twenty-second round (losses that people write themselves), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
1 own loss of thresholded, rounded or arg-maxed predictions (dice, F1, accuracy): no gradient;
2 own squared error of [N, 1] and [N]: all pairs are compared, the mean is learned;
3 root of squares (RMSE, distances) without an epsilon: NaN gradient where the error is nought;
4 own binary cross-entropy with log(p) and log(1 - p): NaN once the sigmoid is 0 or 1;
5 dice returned as it is in place of one minus dice: the overlap is made small;
6 KLDivLoss of a softmax in place of a log_softmax: negative loss;
7 NLLLoss or own likelihood of a softmax without the logarithm: negative loss;
8 focal loss whose cross-entropy is averaged before p_t = exp(-ce): one p_t for the whole batch;
9 focal loss with logits behind a model that ends in a sigmoid: squashed twice;
10 Gaussian likelihood with a variance straight from a linear layer: logarithm of negative numbers;
11 several terms added up through .item() or torch.tensor(): no gradient;
12 class weights of the wrong length or place in a binary cross-entropy: refused;
13 multi-class dice with class numbers in place of one-hot targets: shapes broadcast or are refused;
14 softmax in an own cross-entropy over the batch axis: shares add up over samples;
15 VAE with the mean of the reconstruction and the sum of the divergence: posterior collapse;
16 label smoothing or soft targets against raw outputs, without log_softmax: the loss is no likelihood;
17 quantile loss with the error's sign turned round: the other quantile is learned;
18 cosine similarity or correlation minimised as it is: pairs are pushed apart;
19 RMSLE with the logarithm of raw outputs: NaN below minus one;
20 masked loss whose padding is left in the mean, or added in: the padding is learned;
21 mixture density: log of a sum of exponentials that underflows: infinite loss;
22 weights of samples times a loss that is averaged already: the weights do nothing;
23 percentage error with targets of nought: division by nought;
24 learned weights of several terms without the term that holds them back: the weights run away.
"""
