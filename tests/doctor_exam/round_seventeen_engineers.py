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
"""

from doctor_exam.case import CaseSet

SEVENTEEN_ENGINEERS = CaseSet()
right, wrong = SEVENTEEN_ENGINEERS.right, SEVENTEEN_ENGINEERS.wrong
