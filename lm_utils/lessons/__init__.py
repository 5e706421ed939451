"""One file per notebook, named like it: what only that notebook computes and draws."""
