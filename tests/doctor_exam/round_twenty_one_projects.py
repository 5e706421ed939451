"""Set-ups of the twenty-first round (GitHub issues and pull requests), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: focal loss implementation wrong
alpha; dice loss stuck around 0.5 not decreasing; label smoothing loss wrong implementation; softmax before
CrossEntropyLoss bug; double softmax in model forward; sigmoid applied twice BCEWithLogitsLoss; is the loss function
right? multi class focal loss; dice loss computed over the whole batch instead of per class; softmax dim wrong axis
segmentation; loss averaged over padding tokens mask; class weights wrong order weighted cross entropy; multi-task loss
uncertainty weighting log sigma wrong; KL divergence loss reduction mean instead of batchmean; knowledge distillation
loss temperature wrong softmax log_softmax; VAE loss reconstruction mean KL sum posterior collapse; relu on the output
layer regression predicts zero; MSE loss broadcasting wrong shape predictions all same mean; triplet loss stuck at
margin; contrastive loss label 0 and 1 swapped; attention mask inverted transformer does not learn; quantile loss wrong
sign forecasting; language model loss labels not shifted; tanh output image range 0 1 autoencoder grey; GAN
discriminator loss sigmoid missing.
"""
