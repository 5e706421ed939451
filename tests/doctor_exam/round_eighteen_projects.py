"""Set-ups of the eighteenth round (bugs reported or mended in projects), written without knowing the checks.

Twenty-four searches, written down and committed before the first of them was made; a list of hits of issues for each,
and of pages or code where time is left, gone through in their order:

fix loss computed incorrectly; loss function bug wrong reduction sum instead of mean; missing detach target gradient
flows bug fix; double sigmoid applied BCEWithLogitsLoss bug; softmax applied twice CrossEntropyLoss fix; padding mask
not applied in loss calculation; broadcasting shape mismatch in loss unsqueeze wrong MSE silently; loss is always zero;
weights not updated during training parameters not registered; dice loss implementation incorrect; focal loss alpha
applied wrong; triplet loss bug wrong distance or sign; kl divergence loss arguments swapped wrong; contrastive loss
wrong positive mask bug; loss goes negative bug in loss function; class weights applied in the wrong order; ignore
index pixels counted in loss; regression model squeeze missing loss broadcasting warning; label smoothing
implementation wrong; VAE loss kl term wrong sign or reduction; gradient penalty implementation incorrect; loss becomes
nan division by zero when no positive samples; wrong axis dim softmax in model forward bug; loss only uses last batch
element or last task return inside the loop.
"""
