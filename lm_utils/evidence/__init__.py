"""What runs say: stored results and their statistics, in tables and sentences, the lines that curves are read by, the
documents' claims with their verdicts, and our own verdicts held against runs. Nothing here draws, and what trains lives
in `runs`.
"""
