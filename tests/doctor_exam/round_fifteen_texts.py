"""Set-ups of the fifteenth round (texts, speech, tables, embeddings, graphs), written without knowing the checks.

Twenty searches, written down and committed before the first of them was made; two lists of hits for each, of issues
and of pages, gone through in their order:

my bert fine tuning gives the same prediction for every sentence fix; lstm text classifier loss not going down forgot
something in forward; transformer from scratch outputs the same word again and again causal mask missing; training
accuracy suspiciously high language model sees the future mask bug; nan loss in attention fully masked row padding mask
softmax; my forecast model learns a straight line output shape mistake; click through rate model loss does not move all
outputs 0.5; speech model loss inf ctc input lengths after subsampling; node embeddings all become identical after a
few epochs; sequence model ignores padding lengths last hidden state takes padding; masked language modelling loss
implementation question -100 labels; copy or pointer or coverage loss implementation bug summarization; masked mean
squared error or MAE for missing values forecasting loss bug; multi task intent and slot filling loss bug; regression
head on transformer num_labels 1 loss mistake; ordinal or rank loss listwise ListNet implementation wrong; cosine
embedding loss target labels wrong sentence similarity; center loss or proxy loss or circle loss implementation bug;
token level knowledge distillation loss sequence wrong dimension temperature; sequence autoencoder or text VAE loss
implementation mistake.

They gave too few, so eight more were written down, again before they were made: pretrained model with own
classification head loss does not decrease pooled output; nn.LSTM loss does not change because hidden state or batch
dimension wrong; regression on tabular data neural network outputs the same value for all rows; multi head attention
from scratch bug view instead of transpose; contrastive loss for text embeddings in batch negatives wrong labels;
recommendation model sigmoid twice or ranking loss sign bug; loss for sequence tagging view reshape wrong order of
dimensions; VQ or speech recognition loss mask bug length padding frames.
"""
