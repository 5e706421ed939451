"""Set-ups of the twentieth round (users of libraries), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: lightning multilabel
BCEWithLogitsLoss accuracy stuck; torchvision resnet binary classification loss not decreasing sigmoid; huggingface
Trainer multi label float labels error BCEWithLogitsLoss; huggingface token classification loss ignore_index -100 labels
custom loss; custom Trainer compute_loss class weights wrong; fastai CrossEntropyLossFlat target shape mismatch; fastai
segmentation mask values target out of bounds; timm SoftTargetCrossEntropy label shape error mixup;
segmentation_models_pytorch DiceLoss sigmoid activation from_logits; segmentation_models_pytorch multiclass all background
prediction; MONAI DiceCELoss to_onehot_y softmax loss not decreasing; MONAI DiceLoss negative or constant loss;
pytorch-forecasting custom loss output size wrong; LSTM time series regression predicts constant mean target shape
unsqueeze broadcast; pos_weight BCEWithLogitsLoss shape of weights multi label; CrossEntropyLoss class weights with
one-hot targets expected; nn.CrossEntropyLoss after softmax model not learning; NLLLoss without log_softmax negative loss;
BCELoss all elements of input should be between 0 and 1; multi-head multi-task model loss one head not learning; regression
output relu predicts zero always pytorch; autoencoder MSE loss sigmoid output images normalized mean std; distillation
KLDivLoss log_softmax negative loss; expected scalar type Long but found Float loss target.
"""
