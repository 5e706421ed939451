"""The six broken scripts' grader."""
