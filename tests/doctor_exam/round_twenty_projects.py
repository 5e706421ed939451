"""Set-ups of the twentieth round (issues and pull requests about projects' training code), written without the checks.

Twenty-four searches, written down and committed before the first of them was made: focal loss implementation wrong for
multi-class segmentation; dice loss does not decrease training stuck; label smoothing loss wrong formula; model already
applies softmax before CrossEntropyLoss; double sigmoid BCEWithLogitsLoss bug; wrong dim in softmax loss fix; class weights
wrong normalization cross entropy; multi-task loss uncertainty weighting negative loss; loss reduction mean instead of sum
KL divergence VAE; sigmoid missing before BCELoss text classification; log_softmax missing NLLLoss loss negative; padding
tokens not ignored in loss translation model; ignore_index not respected in focal loss; masked mse loss time series divides
by wrong count; MSE broadcast target size different from input size regression; ReLU on output layer predictions all zero;
KLDivLoss knowledge distillation temperature log_softmax; triplet loss stuck at margin; contrastive loss label convention
reversed; pos_weight BCE multi-label all zeros predicted; tversky loss smooth wrong axis batch; argmax in loss no gradient;
labels start from 1 cross entropy target out of bounds; binary classification one output CrossEntropyLoss loss zero.
"""
