"""Train many: the documents' rows, a resumable sweep, changed conditions, GPUs, clusters; what is stored of a run.

Nothing here says what runs mean: statistics, tables and sentences live in evidence, figures in show.
"""
