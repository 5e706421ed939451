"""Set-ups of the twenty-fifth round (makers), ordinary right ones, written without knowing the checks.

Generative: denoising autoencoder, VAE, GAN discriminator, GAN generator, character GPT, DDPM, flow matching, RealNVP.
Self-supervision: SimCLR, masked language model, BYOL, masked autoencoder. Metric learning: triplets, Siamese pairs,
ArcFace, CLIP. Reinforcement: DQN, REINFORCE, behaviour cloning, A2C, PPO. Distillation: soft labels, feature hints.
Multi-task: two heads, learned task weights. Graphs: GCN nodes, GIN graphs, link prediction. Physics: oscillator, heat.
"""
