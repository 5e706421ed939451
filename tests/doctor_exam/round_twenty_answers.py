"""Set-ups of the twentieth round (sequences, texts and pixels), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made:
lstm text classification loss not decreasing pytorch; pos tagger crossentropyloss expected input batch_size to match
target; ctc loss becomes negative or zero; unet binary segmentation predicts all black; dice loss not decreasing stuck;
ignore_index padding loss nan; language model loss very low too good shift labels; time series lstm predicts the mean
constant; transformer seq2seq outputs the same token always; bert token classification labels padding -100 loss;
multiclass segmentation one hot target cross entropy; bcewithlogitsloss segmentation sigmoid twice; mse loss broadcast
target size warning lstm regression; character rnn view permute loss does not learn; ctc loss inf blank index;
segmentation mask 255 target out of bounds; class weights segmentation only background predicted; multi label text
classification softmax; attention mask wrong padding mask transformer inverted; nllloss without log_softmax sequence
tagging; next token prediction loss averaged over padding tokens; depth estimation masked loss wrong; dice loss negative
greater than one; sentence similarity siamese lstm loss constant.
Ten further ones, committed before the first of them: pytorch seq2seq loss target shape mismatch view stackoverflow;
expected target size got cross entropy segmentation; unet loss negative mask 0 255 bcewithlogits; lstm classifier
softmax crossentropyloss accuracy stuck; crnn ctc loss does not decrease predicts blank only; dice loss softmax
multiclass argmax no gradient; lstm forecasting output shape wrong relu sigmoid output; RuntimeError expected scalar type
Long but found Float lstm; gpt training labels not shifted model copies input; dice loss flatten wrong dimension batch.
"""
