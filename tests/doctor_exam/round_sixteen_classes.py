"""Set-ups of the sixteenth round (one of several classes: pictures, tables, signals, short texts), written blind.

Twenty-four searches, written down and committed before the first of them was made; of each two lists of hits, of
issues and of pages, gone through in their order:

pytorch classifier loss not decreasing stuck at 2.30; cnn accuracy stuck at 10 percent cifar10 pytorch; model predicts
the same class for every image pytorch; cross entropy loss not going down softmax in the last layer; nllloss negative
loss values pytorch; loss is nan after first batch pytorch classification; mnist network from scratch pytorch not
learning; neural network on tabular data predicts only one class iris; lstm text classification accuracy does not
improve; custom cross entropy implementation gives wrong loss; focal loss multi class implementation bug loss does not
decrease; label smoothing loss implementation wrong negative loss; validation accuracy 100 percent too good one hot
labels bug; transfer learning resnet accuracy not improving frozen layers; loss constant does not change every epoch
pytorch weights not updating; 1d cnn time series signal classification loss not decreasing; mixup cutmix loss
implementation wrong; knowledge distillation loss student does not learn; class weights imbalanced cross entropy
predicts minority only; capsule network margin loss not decreasing; audio spectrogram classifier always outputs same
class; vision transformer from scratch accuracy stuck; arcface head loss not decreasing; prototypical network few shot
accuracy at chance.
"""

from doctor_exam.case import CaseSet

SIXTEEN_CLASSES = CaseSet()
right, wrong = SIXTEEN_CLASSES.right, SIXTEEN_CLASSES.wrong
