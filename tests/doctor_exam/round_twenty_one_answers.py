"""Set-ups of the twenty-first round (sequences, texts and pixels), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: lstm language model loss not
decreasing pytorch; ner tagger predicts only O padding labels; lstm time series prediction constant output flat line;
ctc loss outputs only blanks; unet segmentation predicts all background dice; dice loss not decreasing is my dice loss
right; ignore_index wrong in segmentation loss; padding tokens included in the loss seq2seq; should there be a softmax
before cross entropy text classification; sigmoid and BCEWithLogitsLoss segmentation mask; masked language model loss
computed on all tokens; labels not shifted causal lm perplexity too low; reshape view instead of permute before cross
entropy sequence; batch_first lstm wrong dimension does not learn; transformer decoder no causal mask loss goes to zero;
attention padding mask inverted; dice loss over batch instead of per class; focal loss implementation wrong; mse loss
broadcasting target shape lstm regression; mask values 255 instead of 1 segmentation loss negative; class weights wrong
order segmentation background; ctc blank index label zero; ctc log_softmax missing loss negative; softmax over wrong
dimension segmentation dim=0.

Further searches, written down and committed before they were made: pytorch lstm predicts the same value for every
input; unet pytorch output all zeros bce loss; segmentation cross entropy always predicts one class pytorch; lstm mse
loss stuck same value every epoch; bert classification always predicts same class loss stays 0.69; pos tagging accuracy
high because of padding pytorch; gpt training loss too low generates garbage; transformer seq2seq repeats same token.
"""
