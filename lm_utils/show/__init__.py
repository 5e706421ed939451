"""What every lesson shows with: style, figures of results, questions. Nothing here belongs to one notebook."""
