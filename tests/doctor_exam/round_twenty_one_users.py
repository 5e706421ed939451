"""Set-ups of the twenty-first round (users of libraries), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: pytorch lightning loss stuck at 0.693
binary classification; fastai custom loss function not learning accuracy constant; timm mixup cutmix bce loss target not
learning; segmentation_models_pytorch dice loss stuck at constant value; monai dice loss not decreasing background
include_background sigmoid softmax; huggingface trainer multi label classification predicts all zeros; pos_weight
BCEWithLogitsLoss model predicts all ones; class weights cross entropy lightning predicts only one class; keras to
pytorch same model much worse loss softmax; should i put softmax before CrossEntropyLoss loss stuck at 2.3; regression
predicts the mean for everything output shape (N,1) target (N,); pytorch forecasting loss negative normal distribution
output wrong; token classification ignore_index padding label 0 predicts only O; gpt2 fine tuning labels shift loss padding
eos wrong; torchvision deeplabv3 aux loss weights segmentation predicts only background; multi task learning two heads
one head does not learn; kl_div loss negative values reduction batchmean log_softmax; t5 decoder input ids labels loss
doubt generates repeated token; lstm time series batch_first output last timestep flat line prediction; vae loss kl
reduction mean sum images blurry all the same; focal loss implementation wrong loss does not decrease; autoencoder relu
sigmoid last layer normalized input output grey; ordinal or siamese contrastive loss label 0 1 reversed embedding
collapse; yolo or keypoint rcnn torchvision labels background class 0 wrong nothing detected.

Further searches, committed before they were made: sigmoid applied twice model sigmoid and BCEWithLogitsLoss; multi label
classification softmax with BCELoss; target broadcast mse loss shape (batch,) (batch,1) model predicts average; pos_weight
computed wrong way round positive over negative; class weights wrong order inverse frequency loss; multi task loss wrong
target for second head; label smoothing loss implementation wrong value; nll_loss without log_softmax negative loss;
regression output relu sigmoid last layer predicts zero lightning.
"""
