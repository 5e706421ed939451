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

They gave nine of the wrong ones, so twenty more were written down before they were made (a slip kept the list out of
the history until the first eight of them had been made): extra softmax before cross entropy should be removed
classifier; softmax over wrong dimension dim=0 classifier accuracy low; relu on the last layer output before cross
entropy loss stuck; labels start from 1 instead of 0 classification loss wrong; BCELoss used for multi class one hot
targets accuracy stuck; MSELoss for classification labels broadcasting shape warning not learning; view instead of
permute wrong reshape cnn lstm classifier random accuracy; lstm classifier batch_first wrong dimension accuracy at
chance; eeg classification pytorch accuracy at chance level; text cnn sentence classification bug in forward; attention
pooling softmax wrong dimension text classifier; layers stored in python list not registered model not learning; entropy
regularization wrong sign classifier loss negative; label smoothing KLDivLoss without log_softmax; human activity
recognition pytorch accuracy stuck; dropout after last layer classifier accuracy low; hidden state reused between
batches rnn classifier backward second time; cosine classifier no scale accuracy low; weight tensor in CrossEntropyLoss
wrong order class weights accuracy drops; log of softmax nan own cross entropy classifier.

These gave seven more, and eight further ones were written down and committed before they were made: spiking network
mnist accuracy stuck at 10 percent pytorch; graph node classification loss does not decrease mistake; evidential deep
learning classification loss wrong; symmetric or generalized cross entropy noisy labels implementation bug; binarized
network straight through estimator accuracy does not improve; auxiliary classifier head loss not learning bug; point
cloud classification accuracy low transpose bug; video gesture classification cnn lstm accuracy random.
"""

from doctor_exam.case import CaseSet

SIXTEEN_CLASSES = CaseSet()
right, wrong = SIXTEEN_CLASSES.right, SIXTEEN_CLASSES.wrong
