"""Train many: the rows of the documents, a resumable sweep, what is stored of each run. Meaning is not judged here."""
