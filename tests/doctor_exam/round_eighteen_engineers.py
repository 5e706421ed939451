"""Set-ups of the eighteenth round (engineers who adapt a network to their own data), written without the checks.

Twenty-four searches, written down and committed before the first of them was made, of issues and of pages in turn:

fine tuning resnet on my own dataset, loss stays the same every epoch, my custom head; multi task learning pytorch two
heads, one task does not learn, combined loss; class imbalance weighted cross entropy, model still predicts only the
majority class, mistake in my loss; custom loss ignoring missing values nan in targets, loss becomes nan after first
step; lstm time series forecasting predicts a flat line, pytorch, what is wrong with my model; tabular neural network
regression predicts the mean for all rows; medical image segmentation dice loss not decreasing, my dice loss
implementation; recommendation matrix factorization pytorch loss not decreasing, bpr loss; learning to rank pairwise
loss implemented in pytorch does not learn; metric learning triplet loss stuck at margin, embeddings collapse;
autoencoder anomaly detection reconstruction loss does not go down, output activation; multi label classification
outputs all zeros or all the same probabilities, BCE; binary classifier always outputs 0.5, loss stays 0.693; focal
loss implementation does not work, loss goes down but accuracy stays; quantile regression pinball loss predictions
wrong quantiles; gaussian negative log likelihood uncertainty head, variance explodes or loss negative; custom weighted
mse loss, broadcasting warning, target size (batch) and input size (batch, 1), bad predictions; unet segmentation
predicts only background, loss function or softmax problem; fine tune bert with custom classification head, accuracy at
chance, wrong output used; siamese network contrastive loss goes to zero, all distances equal; ordinal regression coral
loss model predicts one class; survival analysis deep cox loss implementation bug; loss does not change, forgot
something in custom loss: argmax, detach, numpy, requires_grad; chest x-ray multi label pos_weight loss wrong weighted
bce.
"""

from doctor_exam.case import CaseSet

EIGHTEEN_ENGINEERS = CaseSet()
right, wrong = EIGHTEEN_ENGINEERS.right, EIGHTEEN_ENGINEERS.wrong
