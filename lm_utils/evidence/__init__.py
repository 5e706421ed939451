"""What runs say: results, statistics, tables, sentences, claims with their verdicts. Nothing here trains or draws."""
