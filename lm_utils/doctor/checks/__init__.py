"""What the doctor asks, a file for each kind of question; each check yields findings and changes nothing.

`diagnosis` calls them in turn. What they look at (`Observation`, `Patient`, `Case`) and what they say (`said`) stands a
folder above, and nothing here trains, draws or writes.
"""
