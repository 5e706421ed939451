"""Set-ups of the seventeenth round (engineers who adapt a network to their own data), written blind.

Twenty-four searches, written down and committed before the first of them was made; issues and pages by turns:

fine-tuned bert classifier predicts the same class for every input loss stuck at 0.69; transfer learning resnet
pretrained loss does not decrease forgot to train last layer; multi task network two heads one loss does not go down
only one task learns; imbalanced binary classification model predicts all zeros weighted loss wrong; my custom focal
loss implementation does not work gives worse results; mask missing values in loss function NaN targets training gives
nan; lstm time series forecast predicts the mean constant output; regression neural network predicts same value for all
inputs pytorch tabular; medical image segmentation dice loss stays at 1 model predicts only background; recommendation
matrix factorization pytorch loss not decreasing bug; multi label chest x-ray classifier custom loss all predictions the
same; fine-tuning language model on own data loss is zero or does not change labels; custom loss function pytorch
gradient None weights not updating argmax; quantile regression loss forecast quantiles wrong all quantiles equal;
learned uncertainty weighting several losses goes negative or diverges; lora peft fine-tuning loss does not decrease
parameters not trained; categorical embedding tabular model softmax at the end and cross entropy accuracy stuck; survival
analysis cox loss pytorch not learning wrong risk set; siamese network contrastive triplet loss stuck at margin all
embeddings same; u-net segmentation output sigmoid with BCEWithLogitsLoss training does not work; ordinal regression or
age estimation custom loss does not converge; two tower retrieval in-batch negatives loss stuck at log of batch size;
knowledge distillation loss kl div student does not improve implementation wrong; transformer for time series output
shape mismatch broadcast mse loss warning predicts flat line.

Too many of their hits stand in earlier rounds, so twenty more were written down, again before they were made: churn or
credit default model all predictions near the base rate wrong loss; skin lesion classifier weighted cross entropy class
weights order wrong; tumor segmentation multi class dice softmax sigmoid wrong; EEG classification network loss stuck at
ln of number of classes; wind power or load forecasting transformer decoder sees the target; gaussian negative log
likelihood forecast variance negative nan; click through rate or conversion model multi task ESMM MMoE loss bug; session
based recommendation SASRec padding items loss mask; BPR loss sign or log sigmoid wrong recommendation pytorch; named
entity recognition bert loss active labels padding ignored wrong; backbone frozen or detached by no_grad by mistake
features do not train; missing labels multi label masked bce mean over all elements; fix loss bug: add missing log or
softmax dimension in fine-tuning code; fix: label smoothing loss wrong; fix: regression head output shape squeeze
broadcast in loss; zero inflated or poisson or tweedie loss demand forecasting wrong; autoencoder anomaly detection
sigmoid output standardized data loss does not go down; hidden state of LSTM not reset or last output wrong dimension
batch_first forecast; reward model or preference loss fine-tuning sign wrong; attention pooling or mean pooling mask
wrong sentence embedding fine-tuning.
"""

from doctor_exam.case import CaseSet

SEVENTEEN_ENGINEERS = CaseSet()
right, wrong = SEVENTEEN_ENGINEERS.right, SEVENTEEN_ENGINEERS.wrong
