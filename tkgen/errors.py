"""The errors a user can meet: each says what happened, why, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

LONGEST_QUOTE = 60


def quote(value: str | Path) -> str:
    """Return the value in quotes on one line; a path whole, a name cut if long."""
    text = str(value)
    if len(text) > LONGEST_QUOTE and not isinstance(value, Path):
        text = text[: LONGEST_QUOTE - 1] + "…"
    return f"'{text}'" if text.isprintable() else repr(text)


def one_line(value: object) -> str:
    """Return the value's text with every run of white space as one space."""
    return " ".join(str(value).split())


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the name that looks most like the given one, or None."""
    matches = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.5)
    return matches[0] if matches else None


class TkgenError(Exception):
    """Something that stops a command: what happened, why, and the remedy."""

    exit_code = 4

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(what)
        self.what = one_line(what)
        self.why = one_line(why)
        self.remedy = one_line(remedy)

    def __str__(self) -> str:
        return f"error: {self.what}\n  why: {self.why}\n  fix: {self.remedy}"


class UsageError(TkgenError):
    """The command was given something that it cannot use."""

    exit_code = 2


class RefusalError(TkgenError):
    """The command is right, but carrying it out would do harm or is impossible."""

    exit_code = 3


class DefectError(TkgenError):
    """tkgen itself is wrong."""

    exit_code = 4


class UnknownNameError(UsageError):
    """No task, model or option has this name."""

    def __init__(self, kind: str, name: str, names: Iterable[str]) -> None:
        choices = list(names)
        nearest = nearest_name(name, choices)
        suggestion = f"did you mean {quote(nearest)}? " if nearest else ""
        super().__init__(
            f"no {kind} is called {quote(name)}",
            f"the {kind}s and their aliases are: {', '.join(choices) or 'none yet'}",
            f"{suggestion}`tkgen list` describes them",
        )


class OptionError(UsageError):
    """An option does not go with the task, or not with another option."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why, "leave it out; `tkgen list` describes the options")


class NoSampleError(UsageError):
    """A task, or every one, is without a sample in the language asked for."""

    def __init__(
        self, language: str, task: str | None, having: Sequence[str], known: str
    ) -> None:
        whose = f"{task} has no sample" if task else "no task has a sample"
        others = f"the tasks that have one are: {', '.join(having)}"
        super().__init__(
            f"{whose} in {quote(language)}",
            others if having else f"the languages of samples are: {known}",
            "leave out --language: it is the sample's alone, and a project learns "
            "from files in any language",
        )


class MissingAnswerError(UsageError):
    """A needed answer was not given, and nobody is there to be asked."""

    def __init__(self, kind: str, names: Iterable[str]) -> None:
        super().__init__(
            f"the {kind} is missing",
            "without a terminal, or with --no-input, nothing is asked",
            f"give --{kind} with one of: {', '.join(names)}",
        )


class InvalidNameError(UsageError):
    """The project's name cannot be a folder and a Python package."""

    def __init__(self, name: str, why: str, remedy: str) -> None:
        super().__init__(
            f"a project cannot be called {quote(name)}",
            why,
            remedy,
        )


class CommandLineError(UsageError):
    """The arguments do not fit the command, as click says it."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(
            one_line(message).rstrip("."),
            f"`{command}` cannot read its command line",
            f"`{command} --help` shows what it takes",
        )


class TargetNotEmptyError(RefusalError):
    """The target folder holds something."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"the folder {quote(target)} is not empty",
            "tkgen new never writes over or beside files that are already there",
            "give another NAME or --output-dir, or move the folder away",
        )


class TargetNotFolderError(RefusalError):
    """The target is there and is no plain folder."""

    def __init__(self, target: Path, kind: str) -> None:
        super().__init__(
            f"the target {quote(target)} is {kind}",
            "a project is a folder of its own; tkgen replaces nothing",
            "give another NAME or --output-dir, or move it away",
        )


class CannotWriteError(RefusalError):
    """The operating system does not let the project be written."""

    def __init__(self, target: Path, error: OSError) -> None:
        place = f" ({error.filename})" if error.filename else ""
        super().__init__(
            f"cannot write the project {quote(target)}",
            f"the system says: {error.strerror or error}{place}",
            "give an --output-dir that you may write to and that has room",
        )


class CannotPrintError(RefusalError):
    """Standard output does not take what the command has to say."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            "cannot print the result",
            f"the system says: {error.strerror or error}",
            "what was to be done is done; give an output that can be written to",
        )


class BrokenTemplateError(DefectError):
    """A template did not become the file that it should be."""

    def __init__(self, path: str | Path, problem: object) -> None:
        super().__init__(
            f"the template of {quote(path)} is broken",
            one_line(problem),
            "nothing was written; this is a defect of tkgen: report it, "
            "with the output of the same command after `tkgen --debug`",
        )


class UnexpectedError(DefectError):
    """An exception that no part of tkgen expected."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            "tkgen stopped on something that it did not expect",
            f"{type(error).__name__}: {one_line(error) or 'no message'}",
            "this is a defect of tkgen: run the same command after "
            "`tkgen --debug` and report what it prints",
        )
