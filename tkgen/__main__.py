"""The entry point of `tkgen` and of `python -m tkgen`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from tkgen.cli import run

        code = run()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
