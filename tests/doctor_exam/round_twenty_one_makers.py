"""Set-ups of the twenty-first round (makers), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: autoencoder reconstruction all grey
sigmoid output normalized images; VAE KL loss mean instead of sum reconstruction blurry; VAE outputs the same image for
every input; KL divergence formula wrong sign VAE pytorch; VAE BCE loss negative values; gaussian nll loss variance log
variance confusion; poisson nll loss log_input true with softplus; GAN discriminator loss stuck at 0.693; GAN generator
tanh output images in 0 to 1; generator loss should detach fake; BCEWithLogitsLoss discriminator sigmoid output GAN;
wgan loss sign wrong critic; knowledge distillation KLDivLoss softmax log_softmax wrong; distillation temperature teacher
student loss not decreasing batchmean; triplet loss stuck at margin; contrastive loss siamese label 0 1 reversed;
InfoNCE loss wrong dimension stuck at log batch size; SimCLR embeddings not normalized loss constant; actor critic
advantage not detached; DQN loss shape broadcasting target does not learn; PPO loss sign entropy wrong; mixture density
network loss log sum exp wrong; anomaly detection LSTM autoencoder predicts mean; CosineEmbeddingLoss target 0 instead
of -1.
"""
