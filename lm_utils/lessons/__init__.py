"""One file per notebook, named like it (a second one says the notebook and its part): what that notebook computes and
draws. The result tables of 08 to 12 are made in `evidence/tables.py`, what several notebooks draw with lies in `show`.
No lesson judges stored runs itself: that is `evidence`. Nothing imports a lesson but its notebook, its tests, other
lessons, and what publishes pictures of the course.
"""
