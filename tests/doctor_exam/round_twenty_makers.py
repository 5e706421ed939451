"""Set-ups of the twentieth round (makers), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
autoencoder outputs all the same image pytorch; vae kl loss goes to zero reconstruction blurry average;
vae loss is negative binary cross entropy; vae kl divergence wrong sum dimension batch;
autoencoder sigmoid output mse normalized inputs not learning; gan discriminator loss stuck at 0.693;
gan generator not learning detach fake; wgan critic sigmoid loss not converging; gan target labels wrong size bce loss;
gaussian nll loss negative variance nan; poisson nll loss log input wrong; knowledge distillation kl_div negative loss;
distillation loss log_softmax student temperature batchmean; kl_div target not probabilities wrong;
triplet loss stuck at margin; siamese contrastive loss label 0 1 inverted embeddings collapse;
infonce loss not decreasing log batch size; cosine embedding loss target 0 1 instead of -1;
actor critic value loss broadcasting shape; policy gradient loss sign wrong log_prob;
dqn loss target not detached q values; ppo ratio log prob shape mismatch advantage;
time series autoencoder lstm predicts mean constant; text vae reconstruction loss cross entropy padding posterior collapse.
Further ones, likewise committed before they were made (the first gave nineteen):
gan generator tanh output images range 0 1; denoising autoencoder loss computed against noisy input;
reparameterization std exp logvar without 0.5 vae bug; nt-xent simclr loss diagonal mask wrong;
negative log likelihood gaussian log sigma missing loss wrong; sac td3 actor loss q value gradient detach.
"""
