"""Set-ups of the sixteenth round (yes and no, many labels, rare classes, masks), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; two lists of hits for each, of
issues and of pages, gone through in their order:

binary classifier pytorch always predicts 0 loss stuck at 0.693; unet segmentation predicts all black mask output all
zeros; multi label classification model predicts the same labels for every image; dice loss negative value
segmentation training; dice loss does not decrease stays constant 1; focal loss implementation gives nan; my focal loss
implementation does not work worse than cross entropy; iou loss not differentiable does not train custom loss; bce loss
negative values unet mask 255; multi label bce loss goes down but everything predicted zero pos_weight; class weights
cross entropy makes imbalanced worse predicts only the rare class; heatmap keypoint regression network outputs all
zeros mse; heatmap focal loss centernet loss nan or negative; semantic segmentation loss does not fall softmax before
crossentropyloss; segmentation ignore index 255 loss nan or wrong; binary classification accuracy 50% sigmoid output
shape [N,1] target [N]; multi label with softmax predicts only one label; object detection confidence loss all
predictions background no object; dice loss multi class one hot wrong dimension bug; tversky loss or focal tversky
implementation wrong; weighted binary cross entropy custom loss pytorch wrong; asymmetric loss or class balanced loss
implementation bug multi-label; lovasz loss or boundary loss logits sigmoid not training; siamese change detection or
crack segmentation network output all ones loss constant.
"""

from doctor_exam.case import CaseSet

SIXTEEN_LABELS = CaseSet()
right, wrong = SIXTEEN_LABELS.right, SIXTEEN_LABELS.wrong
