"""What a user can cause: one class, whose message is one sentence that says what to do; and any error in one line.

`__main__.main` prints the sentence; the doctor, which stands alone, has a class of its own.
"""

from __future__ import annotations

import errno
from pathlib import Path

MACHINE_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}


class UserError(ValueError):
    """Something the user can put right; a command prints its sentence instead of a traceback."""


def cannot_write(place: Path | str, error: OSError) -> str:
    """Say that a file or folder cannot be written, and what to do."""
    return f"Cannot write {place}: {error.strerror}; make room or make it writable, then run again."


def one_line(error: Exception) -> str:
    """Return kind and first line of an error."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}{': ' if first else ''}{first}"
