"""``python -m fastnn``, and the program ``fastnn``: the command line."""

import sys


def main() -> int:
    """Run the command line of this process and return its exit code.

    Ctrl-C is handled here while modules are imported, and by the command line while a command runs.
    """
    try:
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("fastnn: interrupted; no file was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
