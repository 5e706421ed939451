"""What the commands need around the lessons: set-up, lock, check, tests, JupyterLab."""
