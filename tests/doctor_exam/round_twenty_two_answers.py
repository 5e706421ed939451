"""Set-ups of the twenty-second round (texts, sequences, time series), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
1. tagger or language model, cross-entropy "Expected target size (N, C), got (N, L)": classes must be the second axis;
2. LSTM forecast predicts a flat line: outputs [N, 1] against targets [N] broadcast in MSELoss;
3. text classifier whose loss stays near ln C: Softmax in the model before CrossEntropyLoss;
4. negative loss with NLLLoss: Softmax (or nothing) where LogSoftmax belongs;
5. translator or tagger that only answers padding: pad tokens counted in the loss, no ignore_index;
6. "expected scalar type Long but found Float": class numbers as floats into a cross-entropy;
7. LSTM text classifier at chance: batch_first forgotten, the batch read as time;
8. log_softmax over the wrong axis (time or batch) before NLLLoss;
9. view/reshape where permute belongs: classes, times and samples scrambled;
10. "0D or 1D target tensor expected, multi-target not supported": one-hot targets into a cross-entropy;
11. sentiment with one output and a softmax over it: always 1;
12. CTC loss negative: no log_softmax before CTCLoss;
13. CTC loss inf or NaN: fewer frames than labels;
14. language model whose loss falls to zero at once: targets are the inputs, not shifted;
15. transformer decoder perfect in training, useless after it: no causal mask;
16. labels shifted by hand and shifted once more inside the model (Hugging Face);
17. key padding mask the wrong way round: True where the words are;
18. CTC answers only blanks: the blank's number is that of a letter;
19. text labels yes/no: BCELoss without Sigmoid ("all elements of input should be between 0 and 1");
20. forecast stays at 0 or 1: ReLU or Sigmoid at the end, targets beyond its range;
21. "Target 5 is out of bounds": labels count from 1, or too few outputs;
22. masked loss divided by all places, not by those that count;
23. last time step read out of padded sequences: out[:, -1] is padding;
24. several labels a text: softmax and cross-entropy where each label needs a sigmoid.
"""
