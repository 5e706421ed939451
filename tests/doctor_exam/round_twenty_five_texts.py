"""Set-ups of the twenty-fifth round (texts and speech), ordinary right ones, written without knowing the checks.

The thirty kinds: topics by a bag of embeddings; tf-idf with a linear layer; sentiment by a packed LSTM; Kim's
convolutions; a two-way GRU with pooling; a Transformer encoder; toxic comments (several labels); stars of a review;
names by letters; a letter model; an LSTM word model; a small GPT; part-of-speech tags; named entities (BERT);
translation by GRU with attention; translation by nn.Transformer; BERT for classes; DistilBERT with an own head;
GPT-2; masked words (BERT); T5; question answering (BERT); paraphrases (BERT pairs); inference by two encoded
sentences; similarity by cosine; search with in-batch negatives; skip-gram with negative samples; speech by CTC;
spoken commands from the waveform; spoken commands from a log-mel picture.
"""
