"""Set-ups of a fifteenth round on pictures, a systematic sample of public threads, written without knowing the checks.

Twenty searches, written down and committed before the first of them was made; two lists of hits for each, of issues and
of pages, gone through in their order:

pytorch resnet training accuracy stuck at 10 percent all predictions identical; keras or pytorch CNN outputs 0.5 for
every image; loss not decreasing image segmentation pytorch UNet output all zeros; dice score stays at zero or dice loss
stays at 1; multi label images precision recall zero sigmoid output threshold; nan loss after first batch in object
detector or segmentation network; depth estimation network predicts constant depth map; fine-tuned VGG or ViT performs
no better than random guessing; student network does not improve with distillation loss; minority class never predicted
images weighted loss no effect; focal loss implementation wrong; weighted cross entropy segmentation implementation
wrong; IoU loss implementation gradient problem; bounding box regression network own loss not converging; multi label
image classification CrossEntropyLoss or softmax instead of sigmoid; soft target distillation cross entropy
implementation mistake; depth loss gradient smoothness term implementation error; age or pose or keypoint regression
from images outputs same value; MNIST beginner network from scratch numpy or pytorch wrong loss; replace last layer
pretrained model freeze backbone mistake classifier.
"""
