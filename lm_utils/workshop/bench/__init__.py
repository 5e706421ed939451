"""Measure how fast the course trains, beside others, and write the reports.

`speed`, `growth`, `scale` and `bf16` measure, with `competitors` and `machine`; `speed_page` writes. Nothing here
trains for a result: that is the task of `runs`.
"""
