"""Set-ups of the twenty-sixth round (a doctoral student's), ordinary right ones, written without knowing the checks.

Variational autoencoder of digits; denoising autoencoder; DDPM noise prediction; flow matching of points; RealNVP;
DCGAN's discriminator; SimCLR; supervised contrastive; triplet margin; siamese pairs; CLIP; prototypical network;
distillation of logits; distillation of features; DQN; REINFORCE; PPO; GCN of a citation graph; classification of
molecule graphs; physics-informed network of the heat equation.
"""
