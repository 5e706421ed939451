"""What the Makefile runs: set-up, check, tests, lab, USB folder; in folders of their own run-all, pages and benchmark.

No other room imports it, and nothing that a lesson shows is computed here.
"""
