"""Set-ups of the twentieth round (beginners' forum questions on classification and regression), written without
knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: loss not decreasing binary
classification pytorch; model predicts same class for every image pytorch; regression network outputs the same value for
all inputs; RuntimeError expected scalar type Long but found Float cross entropy; multi-target not supported cross entropy;
BCEWithLogitsLoss target size must be the same as input size; using a target size that is different to the input size
mse_loss broadcasting; IndexError target out of bounds nll_loss; multi label classification predicts all zeros; loss is
negative nll_loss pytorch classifier; LSTM sentiment classification accuracy stuck at 50%; house price regression neural
network loss not decreasing pytorch; all elements of input should be between 0 and 1 BCELoss; softmax with cross entropy
loss stuck CNN images; LSTM time series forecasting predicts the mean; BERT text classification loss does not decrease
num_labels; CrossEntropyLoss single output neuron binary loss is zero; sigmoid on the last layer regression output never
above 1; ReLU after last layer classifier predictions zero; class weights cross entropy weight tensor error; result type
Float can't be cast to Long mse_loss; MNIST accuracy 10% loss 2.30 not changing; one hot labels cross entropy pytorch
error; titanic tabular binary classifier outputs always 0.5.
"""
