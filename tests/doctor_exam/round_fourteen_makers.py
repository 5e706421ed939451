"""Set-ups of a fourteenth round: makers' networks, a sample of threads, written without knowing the checks.

Nineteen of thirty-four searches (the even ones), each committed before it was made; two lists of
hits for each, of issues and of pages, gone through in their order:

vae loss negative or nan after a few batches; beta vae or vq-vae commitment loss implementation bug; generator loss
stays constant mode collapse loss wrong; cyclegan or conditional gan loss implementation question detach; ddpm training
loss implementation mistake noise prediction timestep embedding; policy gradient reinforce agent gets worse over time;
actor critic advantage detach loss bug; soft actor critic alpha temperature loss implementation bug; physics informed
neural network derivative autograd grad wrong; multi task loss weighting uncertainty learnable log variance goes
negative; neural network from scratch xor not learning loss stays at 0.25; gaussian negative log likelihood
heteroscedastic variance prediction nan or collapse; double dqn loss implementation bug done mask target network;
learned perceptual and pixel losses weights several losses one has no effect; hinge or wasserstein gan loss sign wrong
generator discriminator; reparameterization std exp logvar mistake vae; mixture density network loss nan or negative
implementation; evidential regression or mc dropout uncertainty loss implementation bug; autoencoder last activation
sigmoid tanh output range loss does not decrease.
"""

from doctor_exam.case import CaseSet

FOURTEEN_MAKERS = CaseSet()
right, wrong = FOURTEEN_MAKERS.right, FOURTEEN_MAKERS.wrong
