"""One file per notebook, named like it (a second one says the notebook and its part): what that notebook computes and
draws. What several notebooks draw with lies in `show`, what runs say in `evidence`; nothing imports a lesson but its
notebook, its tests, other lessons, and what publishes pictures of the course."""
