"""Set-ups of a fifteenth round: makers' networks, a systematic sample of threads, written without knowing the checks.

Twenty searches, written down and committed before the first of them was made; two lists of hits for each, of issues
and of pages, gone through in their order:

my autoencoder outputs the same image whatever the input is pytorch; VAE reconstruction loss mean or sum KL weight wrong
in this repository; discriminator accuracy stays at 50 percent or loss stuck at 0.693 GAN pytorch; GAN training code
detach missing or wrong labels in discriminator loss; denoising diffusion loss stuck at 1.0 model predicts zero noise;
score matching or flow matching loss implementation mistake target; RealNVP coupling layer log det jacobian wrong;
agent always chooses the same action after training pytorch DQN; reinforce discounted returns loss shape bug; A2C loss
advantage shape broadcast values squeeze bug; PINN second derivative is zero or loss stuck boundary condition pytorch;
regression network outputs constant value MSELoss squeeze target size warning; my loss does not decrease custom
nn.Module layers in python list; custom loss function grad_fn None requires_grad loss not decreasing; nan loss after
first iteration custom loss log sqrt division; pinball loss multiple quantiles shape broadcasting bug; Gaussian NLL loss
predict mean and variance network loss negative exploding; total loss of several terms one loss overwritten or not
added bug; logistic regression or neural network from scratch with tensors accuracy stays 50 percent; custom autograd
function straight through estimator gradient is zero.
"""
