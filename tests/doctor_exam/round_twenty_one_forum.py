"""Set-ups of the twenty-first round (beginners' classification and regression), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: pytorch binary classification loss
stuck at 0.693; regression model predicts the same value for every input; multi label classifier predicts all zeros;
should I put softmax before cross entropy loss; sigmoid and BCEWithLogitsLoss together not learning; neural network always
predicts one class pytorch; regression mse loss does not decrease target shape N vs N,1; which loss for one hot labels
multi label pytorch; binary classifier accuracy stays at 50 percent lstm sentiment; NLLLoss negative loss values; cross
entropy with a single output neuron loss is zero; relu on the last layer outputs all zeros regression; tanh output layer
targets out of range not learning; price prediction lstm output is a flat line; softmax over the wrong dimension; class
weights make the model predict only the minority class; pos_weight wrong loss very high multilabel; text classification
accuracy does not improve bert softmax; cnn loss stuck at 2.30 mnist cifar; custom loss function does not train argmax
round; tabular titanic network loss does not go down; my own cross entropy formula wrong value; labels start at 1 instead
of 0 accuracy low; multi output regression loss wrong broadcasting.
"""

from doctor_exam.case import CaseSet

TWENTY_ONE_FORUM = CaseSet()
