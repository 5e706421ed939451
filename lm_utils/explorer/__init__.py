"""Train any pairing and watch it: the explorer (all tasks, a page of its own) and the picker (one task, in a notebook).

A click on Train goes from `training_bar` to `live_box` (a thread), `live_run` and the core's `fit`.

Both are a `LiveBox`: a choice with its controls, a training in a thread, and curves that grow. Here lies what needs a
widget or belongs to a live run; what stored runs say comes from `evidence`, the look of a figure from `show`.
"""
