"""Set-ups of the twenty-second round (picture tasks and users of libraries), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made: a U-Net or classifier that ends
in softmax and is trained with cross-entropy: raw outputs; "only batches of spatial targets supported": the mask's
channel of one squeezed; U-Net that ends in sigmoid into BCEWithLogitsLoss: twice; Keras Dense(1, softmax) sticks at a
half: sigmoid; "t >= 0 && t < n_classes": void pixels 255 without ignore_index; loss is negative: masks of 0 and 255
into a BCE: divide; Lightning "target size must be the same as input size" [N] against [N, 1]: unsqueeze; everything
is background: class numbers through ToTensor, then long, are all 0; Dice of raw outputs, negative or above one:
sigmoid first; Dice or IoU of thresholded or argmaxed predictions has no gradient: shares; output.view(-1, C) of
[N, C, H, W] without permute; Hugging Face: padded labels are not -100; U-Net of one channel that ends in softmax,
all ones: sigmoid; class weights that are the classes' frequencies, not their inverse; pos_weight upside down or a
share of positives: negatives by positives; torchvision Faster R-CNN: labels that start at 0, the background's; a Dice
loss that returns the coefficient: one minus; Hugging Face num_labels=1 with class numbers is a regression; Hugging
Face several labels a text, integers: "can't be cast to Long", floats; torchvision's segmentation returns a dictionary:
["out"]; focal loss of a cross-entropy already averaged: reduction none; ReLU behind the last layer: none; boxes in
pixels against a head with sigmoid: scale to 0..1; several heads, one loss in pixels swamps or one is left out.
"""
