"""Set-ups of the seventeenth round (bugs reported or mended in projects), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; lists of hits of issues and of
pages for each, gone through in their order:

wrong loss, fix loss function implementation; softmax applied twice before CrossEntropyLoss in this repo; is the loss
function implemented correctly, does not match the paper; loss mask not applied in training loop; padding tokens
included in the loss; loss goes negative during training, is that a bug; loss not decreasing because of detach or no
grad in training code; dice loss implementation bug; focal loss alpha implemented wrong; KL loss term wrong sign or sum
instead of mean in VAE repo; class weights are applied to the wrong class in loss; contrastive loss implementation
wrong, positives included in denominator; triplet loss implementation bug hard mining picks wrong samples; smooth l1 or
IoU or GIoU box regression loss bug; label smoothing loss implementation bug; knowledge distillation loss bug student
and teacher swapped; generator loss and discriminator loss labels swapped or detach missing; depth estimation
scale-invariant loss or mask of invalid pixels bug; recommendation BPR or BCE loss computed on logits bug; speech or
text-to-speech model loss bug mask mel postnet stop token; policy gradient or PPO or DQN loss bug in this repo; fix
wrong dimension in softmax in attention or loss; broadcasting bug in loss, shapes (N,1) and (N) give wrong MSE; model
forward returns sigmoid but training uses BCEWithLogitsLoss.
"""
