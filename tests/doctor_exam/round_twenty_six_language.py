"""Set-ups of the twenty-sixth round (language), ordinary right ones, written without knowing the checks.

1 bag of words for news, 2 sentiment with an LSTM, 3 convolutions over words, 4 a transformer encoder that classifies,
5 BERT fine-tuned for classes, 6 word classes with a BiLSTM, 7 names with BERT, 8 answers found in a text,
9 a language model of letters, 10 a small GPT, 11 instruction tuning, 12 masked words, 13 word vectors,
14 translation with a GRU and attention, 15 translation with a transformer, 16 similarity of sentence pairs,
17 retrieval with negatives of the batch, 18 a reranker, 19 preference (DPO), 20 speech recognition with CTC.
"""
