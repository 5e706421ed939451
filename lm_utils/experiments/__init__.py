"""Many runs, their results and what they say about the documents."""
