"""What the Makefile runs: set-up, check, run-all, bench, pages. No other room imports it."""
