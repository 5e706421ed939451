"""Set-ups of the twenty-second round (classification and regression), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
1 PyTorch net stuck near 2.3 (or 1.46): softmax in the model, then CrossEntropyLoss;
2 Keras binary classifier always says 1, accuracy 50 %: softmax on one output unit;
3 regression net predicts the mean for everybody: MSELoss of [N, 1] against [N] (warning about target size);
4 BCEWithLogitsLoss, outputs never below 0.5: sigmoid in the model as well;
5 "multi-target not supported" / "0D or 1D target tensor expected": class numbers as [N, 1] into CrossEntropyLoss;
6 multi-label classifier predicts one label or few: softmax with categorical cross-entropy on multi-hot targets;
7 loss is 0 from the start: CrossEntropyLoss (or categorical_crossentropy) with one output unit;
8 house prices all predicted 1: sigmoid output against unscaled targets;
9 "Target 10 is out of bounds" / device-side assert: labels counted from 1;
10 multi-class net learns slowly and never gets sure: sigmoid in the model before CrossEntropyLoss;
11 regression predicts only 0: ReLU after the last layer and targets that are negative too;
12 loss becomes negative: binary cross-entropy with labels -1/1 (or 1/2, 0/255);
13 NLLLoss is negative: softmax instead of log_softmax before it;
14 all rows alike, no learning: softmax over the batch (dim=0);
15 own cross-entropy becomes nan: log of a softmax that reaches 0;
16 "target size must be the same as input size": BCELoss of [N, 1] against [N];
17 "element 0 of tensors does not require grad": argmax or round of the outputs before the loss;
18 "expected scalar type Long but found Float": float class numbers into CrossEntropyLoss, or long ones into BCE;
19 RMSE loss becomes nan: gradient of the square root at 0;
20 unbalanced data: pos_weight or class weights upside down, the rare class gets the small weight;
21 "all elements of input should be between 0 and 1": BCELoss on raw outputs;
22 tanh or sigmoid output against pixels 0..255;
23 own focal loss takes exp(-mean cross-entropy): the weight is one number for the batch;
24 own loss or R2 without the minus: the score is minimised.
"""
