"""Set-ups of the thirteenth round (texts, speech, tables, embeddings, graphs), written without knowing the checks.

Twenty-four searches, written down before the first of them was made; the first, third, fifth and so on feed the
thirteenth round, the others the fourteenth. Two lists of hits for each, of issues and of pages, gone through in order:

text classifier fine-tuned BERT loss stays at 0.69 and predicts one class pytorch; named entity tagging cross entropy
with padding tokens wrong loss; LSTM sentiment classification accuracy stays at 50 percent pytorch; language model loss
shift labels wrong implementation next token; seq2seq decoder always outputs the same token or only end of sentence
pytorch; label smoothing loss implementation wrong transformer padding; multi label text classification predicts all
zeros BCE pytorch; custom classification head on Hugging Face model wrong activation before loss; CTC loss goes negative
or nan or outputs only blanks speech recognition; time series forecasting loss broadcast shape target unsqueeze mistake;
LSTM forecast predicts a constant or the mean value pytorch; quantile pinball loss implementation wrong sign; tabular
neural network regression loss huge or nan does not decrease; focal loss for imbalanced tabular binary classification
implementation bug; triplet loss stays at the margin, embeddings collapse to one point; contrastive loss label
convention reversed implementation bug; recommender matrix factorization loss does not decrease or predictions constant;
BPR loss implementation wrong sign or missing logsigmoid; sentence embeddings all similar after training contrastive
InfoNCE loss stays at log batch size; supervised contrastive loss implementation bug mask temperature; graph neural
network accuracy at chance loss not decreasing; GAE VGAE link prediction loss implementation wrong KL or pos_weight;
audio classification or speech enhancement network loss nan or negative SI-SNR; ArcFace CosFace margin loss
implementation wrong normalize scale.

The odd ones gave too little, so fourteen more were written down, again before they were made: word2vec skip gram
negative sampling loss negative or does not decrease pytorch; BERT classifier softmax before CrossEntropyLoss accuracy
does not improve; LSTM text classifier batch_first hidden state wrong dimension not learning; attention weights softmax
wrong dimension model does not learn; DeepAR gaussian likelihood forecasting loss nan or negative sigma; tabular
autoencoder reconstruction loss stays high sigmoid output unscaled data; DeepFM click prediction AUC stays at 0.5 loss
0.69 pytorch; siamese network gives the same distance for all pairs loss stuck; keyword spotting audio classifier
predicts one class loss stuck pytorch; TransE knowledge graph embedding margin loss does not decrease; graph attention
network loss nan softmax mask; CRF tagging loss negative or increasing pytorch mask; DPO or reward model loss stays at
0.693; transformer time series forecast is a flat line mask decoder input.
"""
