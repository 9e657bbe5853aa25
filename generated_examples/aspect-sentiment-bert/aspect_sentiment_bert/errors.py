"""Errors that a user can mend: what happened, why, and what to do."""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence


class UserError(Exception):
    """A mistake in arguments, files or data, told in three lines.

    `exit_code` is 2 for wrong use and 3 for a refusal (a run that is already there).
    """

    def __init__(self, what: str, why: str, remedy: str, exit_code: int = 2) -> None:
        super().__init__(f"{what}: {why}")
        self.what, self.why, self.remedy = what, why, remedy
        self.exit_code = exit_code

    def report(self) -> str:
        """Return the three lines that are printed."""
        return f"error: {self.what}\n  why: {self.why}\n  fix: {self.remedy}"


class ArgumentParser(argparse.ArgumentParser):
    """An argument parser whose complaints look like every other error."""

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str):
        """Raise UserError in place of argparse's own usage text."""
        raise UserError(
            message, "the command line was not understood", f"{self.prog} --help"
        )


def run_command(main: Callable[[Sequence[str]], None]) -> None:
    """Run a script's `main` with the command line and leave with its exit code.

    A UserError is printed without a traceback; `--debug` shows it.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        main(arguments)
    except UserError as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        print(error.report(), file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output has gone: `… | head`
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        what = f"cannot use {error.filename or 'a file'}"
        why = error.strerror or str(error)
        report = UserError(what, why, "check the path and its rights").report()
        print(report, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
