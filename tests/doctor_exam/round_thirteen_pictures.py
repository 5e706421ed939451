"""Set-ups of a thirteenth round on pictures, a systematic sample of public threads, written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
issues and of pages, gone through in their order. The odd ones feed this file:

image classifier predicts only one class for every picture pytorch; semantic segmentation multi class dice loss
implementation wrong; CNN training loss stays at 2.303 on CIFAR10 or MNIST; focal loss implementation multi class bug;
unet predicts all black masks loss does not decrease; multi label image classification loss function mistake;
segmentation loss becomes nan after a few iterations custom loss; knowledge distillation temperature KL divergence loss
implementation bug; fine tuning pretrained resnet accuracy does not improve at chance; object detection box loss GIoU
IoU implementation bug; binary cat dog classifier accuracy stuck at 50 percent loss 0.693; class imbalance weighted
cross entropy weights wrong; dice loss negative or larger than one during training; monocular depth estimation scale
invariant loss implementation wrong; transfer learning frozen layers weights not updating loss constant; landmark
keypoint heatmap regression loss problem; multi label classifier outputs all zeros or all ones; label smoothing or mixup
loss implementation bug; image regression CNN predicts the mean value for every image; tversky or jaccard or lovasz loss
wrong axis softmax sigmoid; my first convolutional network pytorch does not learn what is wrong; student teacher feature
distillation loss not detached or wrong reduction; detector training classification loss stays high predicts background
only; age estimation ordinal regression loss implementation question.
"""
