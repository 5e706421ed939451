"""Measure how fast the course trains, beside others, and write the reports.

`competitors`, `speed`, `growth`, `precision` and `machine` measure; `speed_page` and `scale_page` write. Nothing here
trains for a result: that is the task of `runs`.
"""
