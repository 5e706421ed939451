"""Set-ups of the twenty-second round (makers: autoencoders, GANs, distillation, metric and reinforcement learning).

Written without knowing the checks. Twenty-four searches, written down and committed before the first of them was made:
1 KLDivLoss is negative: probabilities given where it wants log-probabilities;
2 VAE gives one blurred mean picture: reconstruction averaged over pixels, KL summed, so the KL outweighs it;
3 BCELoss "all elements of input should be between 0 and 1": autoencoder or discriminator without a sigmoid;
4 DCGAN "Using a target size ([64]) that is different to the input size ([64, 1])": discriminator output not squeezed;
5 DQN does not learn, MSE/Huber warns of sizes [B] and [B, 1]: Q-values and targets broadcast to [B, B];
6 autoencoder stays poor, loss stops high: sigmoid output, inputs standardised below 0 and above 1;
7 siamese contrastive loss does not learn: label 1 means "same" in the data and "different" in the formula;
8 GAN stuck at a constant: sigmoid in the discriminator and BCEWithLogitsLoss on top;
9 REINFORCE gets worse: the minus before log-probability times return forgotten;
10 WGAN does not learn: the critic still ends in a sigmoid;
11 triplet loss stays exactly at the margin: embeddings end in a ReLU/sigmoid or all fall on one point (dead ends);
12 siamese/triplet loss becomes NaN: the root of a squared distance at zero;
13 VAE loss is negative: binary cross-entropy on inputs outside 0 to 1 (standardised);
14 distillation: KLDivLoss's default 'mean' warns, divides by the classes too; 'batchmean' meant;
15 siamese "Found dtype Long but expected Float": whole-number pair labels into BCELoss;
16 policy gradient: softmax output given to Categorical(logits=...), so squashed twice;
17 generator ends in tanh while the real pictures lie in 0 to 1 (or 0 to 255);
18 VAE: the second head is taken for the deviation in one place and for the log-variance in the other;
19 distillation: softened targets at temperature T, the student's logits not divided by T (or no T squared);
20 actor-critic: advantage not detached, the policy's loss trains the critic;
21 NT-Xent: a sample's similarity with itself not masked out;
22 generator's loss on detached fakes: "element 0 of tensors does not require grad";
23 DQN gather: "Index tensor must have the same number of dimensions as input tensor": actions [B] not unsqueezed;
24 WGAN-GP: the gradient's norm over the wrong axis (channels only, or the whole batch) or without create_graph.
"""
