"""Check the subject of a commit message: ``part: what changes``, at most 72 characters.

    python tools/check_subject.py FILE

pre-commit calls it with the file of the message; the exit status is 1 if the subject is another.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SUBJECT = re.compile(r"(Merge |Revert |[a-z][\w., -]*: \S)")
LONGEST = 72


def problem(subject: str) -> str | None:
    """Return what is wrong with a subject, or None."""
    if len(subject) > LONGEST:
        return f"the subject has {len(subject)} characters, at most {LONGEST} are allowed"
    if not SUBJECT.match(subject):
        return "the subject must read 'part: what changes', such as 'kernels: pack A'"
    return None


if __name__ == "__main__":
    message = Path(sys.argv[1]).read_text(encoding="utf-8")
    found = problem(message.partition("\n")[0])
    if found:
        sys.exit(f"{found}: {message.partition(chr(10))[0]!r}")
