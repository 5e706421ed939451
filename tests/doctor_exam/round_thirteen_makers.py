"""Set-ups of a thirteenth round: makers' networks, a sample of threads, written without knowing the checks.

Fifteen of thirty-four searches (the odd ones), each committed before it was made; two lists of
hits for each, of issues and of pages, gone through in their order:

vae reconstructions all look the same blurry kl loss zero pytorch; autoencoder loss implementation wrong pytorch output
all gray; gan discriminator loss goes to zero generator does not learn pytorch; wgan gradient penalty implementation
bug; diffusion model samples are pure noise loss does not decrease; normalizing flow log likelihood loss negative log
det sign mistake; dqn q values explode reward does not increase pytorch; ppo implementation bug value loss entropy bonus
sign; pinn loss converges to trivial zero solution pytorch; custom autograd function backward wrong gradient; neural
network predicts the mean for every input regression; quantile regression pinball loss implementation wrong; linear
regression from scratch pytorch loss does not decrease shape; ddpg td3 actor loss critic target bug; custom layer
weights not updating nn.Parameter pytorch.
"""

from doctor_exam.case import CaseSet

THIRTEEN_MAKERS = CaseSet()
right, wrong = THIRTEEN_MAKERS.right, THIRTEEN_MAKERS.wrong
