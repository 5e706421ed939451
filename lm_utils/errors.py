"""What a user can cause: one class, whose message is one sentence that says what to do.

`__main__.main` prints the sentence; the doctor, which stands alone, has a class of its own.
"""

from __future__ import annotations


class UserError(ValueError):
    """Something the user can put right; a command prints its sentence instead of a traceback."""
