"""Grade the six broken scripts of the final challenge by running them; the scripts themselves lie in `challenge/`.

`grade` is the command and judges answers whose truth never leaves it; `run_script` runs one script in a process of its
own. The doctor decides whether model, loss and targets fit; nothing here knows a solution.
"""
