"""Set-ups of the nineteenth round (anybody's network that trains without an error and does not work), written blind.

Twenty-four searches, written down and committed before the first of them was made; the odd ones in a list of issues,
the even ones in a list of pages, gone through in their order:

trains fine without a crash yet predictions are useless, found my mistake; neural network output barely changes between
different inputs, solved, it was the; every prediction identical after training, trying to reproduce the paper; speech
emotion recognition network stays at chance level; rainfall or weather nowcasting network gives blank frames; chess or
board game policy value network does not get stronger, loss; head pose or gaze estimation error does not come down;
super resolution or denoising network returns a grey image; named entity tagger says O for everything; question
answering span start end network loss plateau; image captioning model ignores the image; OCR CRNN outputs only blanks;
physics informed network converges to the trivial solution; graph neural network for molecules property stuck at mean;
sampled digits from the decoder all look alike; diffusion model from scratch samples are pure noise; actor critic or ppo
agent reward never rises, mistake in the loss; my translation model BLEU is zero; critic loss grows without bound WGAN;
object detector from scratch yolo, boxes all in one corner; recommender or ctr network AUC stays 0.5; speaker or face
verification embeddings not discriminative; depth or optical flow network outputs a constant map; keras custom loss
returns a wrong value, model learns nothing.
"""
