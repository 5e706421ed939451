"""The doctor's exam: set-ups that are right and set-ups that are wrong, with the finding that each must give."""
