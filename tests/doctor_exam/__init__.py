"""The set-ups that the doctor is scored on: how they came to be is said in docs/doctor-score.md."""
