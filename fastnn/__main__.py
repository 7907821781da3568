"""``python -m fastnn``, and the program ``fastnn``: the command line."""

import sys


def main() -> int:
    """Run the command line of this process and return its exit code."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        print("fastnn: interrupted; no file was written", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
