"""What a user can cause: one class, whose message is one sentence that says what to do."""

from __future__ import annotations


class UserError(ValueError):
    """Something the user can put right; a command prints its sentence instead of a traceback."""
