"""Set-ups of a fourteenth round on pictures, a systematic sample of public threads, written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
issues and of pages, gone through in their order. The even ones feed this file:

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

Twenty-four more, committed before the first of these was made, since the first gave too little: pytorch CNN loss does
not decrease answer forgot relu or wrong loss function discuss.pytorch.org; custom dice loss pytorch gradient zero
because of argmax or rounding; pytorch image classification loss stuck because softmax before CrossEntropyLoss CNN;
wrong focal loss alpha and gamma for background pixels implementation error; UNet BCEWithLogitsLoss with sigmoid in the
last layer predicts grey mask; GIoU DIoU CIoU loss wrong formula enclosing box issue; regression network output constant
same value for all images relu at the output; feature distillation mean squared error teacher gradient issue student
does not learn; validation image classifier always predicts same class ReLU after last layer; YOLO loss implementation
error objectness sigmoid issue; Keras CNN accuracy does not change sigmoid last layer categorical crossentropy answer;
pos_weight BCEWithLogitsLoss wrong order imbalance images; loss is nan from the first batch image network log of zero or
division; depth map regression network loss mask invalid pixels bug; autoencoder or UNet output black images sigmoid
tanh range loss stuck; heatmap keypoint focal loss CenterNet implementation bug; CNN loss constant images not normalized
0 255 pixel values answer; label smoothing cross entropy implementation wrong sum of targets; broadcasting warning
target size different input size regression CNN loss does not decrease; contrastive or triplet or center loss for image
embedding implementation bug; pretrained model fine tune all parameters frozen requires_grad false loss does not change;
ordinal or age regression loss expected value distribution implementation bug; segmentation network learns only
background weights of classes answer; multi task image network loss weighting uncertainty implementation wrong.
"""
