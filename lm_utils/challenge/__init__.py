"""Grade the six broken scripts in `challenge/`.

`grade` runs each in a process of its own (`run_script`), measures the repair and gives the next hint; no lesson here.
"""
