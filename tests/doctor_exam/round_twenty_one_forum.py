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

They gave too few; further ones, again written down and committed first: keras model accuracy not changing categorical
crossentropy sigmoid; keras softmax one output neuron always predicts 1; binary_crossentropy for multi class problem; mse
loss for classification not learning pytorch forum; lstm classifier output same probabilities for every sample; nn.NLLLoss
without log softmax loss negative; multi label with softmax activation wrong; CrossEntropyLoss for binary with two outputs
and softmax not converging; linear regression pytorch loss constant predictions mean unsqueeze target; network predicts
values between 0 and 1 but the target is larger sigmoid regression; why is softmax applied twice; classifier relu before
softmax last layer not learning; log_softmax and cross entropy together is this a bug; bce loss with labels 1 and 2 or -1 1
negative loss; CrossEntropyLoss weight order ignored class; sum of losses instead of mean gradients explode batch size;
accuracy stuck at 10 percent pytorch cifar10 softmax; my loss is negative and keeps decreasing.
"""

from doctor_exam.case import CaseSet

TWENTY_ONE_FORUM = CaseSet()
