"""Instruments a notebook puts on the table: figures, labs with widgets, questions."""
