"""The command line: reads arguments, calls the verbs, prints, and sets exit codes.

What a command needs is imported inside it: `list`, `show`, `--help` and
completion do not wait for cookiecutter.
"""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import click
from click.shell_completion import CompletionItem, get_completion_class

from tkgen import __version__
from tkgen.answers import Answers, check_language, resolve_answers
from tkgen.catalog import DEFAULT_LANGUAGE, load_catalog, names_of
from tkgen.errors import (
    CannotPrintError,
    CommandLineError,
    TkgenError,
    UnexpectedError,
)

INTERRUPTED = 130
TERMINATED = 143
COMPLETION_VARIABLE = "_TKGEN_COMPLETE"


def completer(
    kind: str,
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return a function that completes the names and aliases of one kind."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [
            CompletionItem(name, help=card.title)
            for card in load_catalog().cards(kind)
            for name in names_of(card)
            if name.startswith(incomplete)
        ]

    return complete


def complete_language(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the languages of samples: of the task's, where one was typed before."""
    catalog = load_catalog()
    task = context.params.get("task")
    cards = [card for card in catalog.tasks if task in {*names_of(card)}]
    languages = cards[0].languages if cards else catalog.languages
    return [CompletionItem(name) for name in languages if name.startswith(incomplete)]


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tkgen")
@click.option("--debug", is_flag=True, help="Show a traceback with every error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Write a complete Keras BERT project that you own.

    \b
    tkgen list                          what there is
    tkgen show qa                       what one task generates and reads
    tkgen new --task qa --model bert    write the project
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@click.argument("name", required=False)
@click.option(
    "--task",
    metavar="TASK",
    shell_complete=completer("task"),
    help="What the project does; `tkgen list` shows the choices.",
)
@click.option(
    "--model",
    metavar="MODEL",
    shell_complete=completer("model"),
    help="The encoder it uses; `tkgen list` shows the choices.",
)
@click.option(
    "--with",
    "options",
    metavar="OPTION",
    multiple=True,
    shell_complete=completer("option"),
    help="What the task has as an option; may be given several times.",
)
@click.option(
    "--language",
    metavar="LANGUAGE",
    default=DEFAULT_LANGUAGE,
    show_default=True,
    shell_complete=complete_language,
    help="What the sample in data/ is written in; `tkgen list` shows the choices.",
)
@click.option(
    "--output-dir",
    default=".",
    type=click.Path(path_type=Path),
    help="The folder to write the project's folder into; made where missing.",
)
@click.option("--no-input", is_flag=True, help="Ask nothing, even on a terminal.")
@click.option("--dry-run", is_flag=True, help="Print the plan and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def new(
    name: str | None,
    task: str | None,
    model: str | None,
    options: tuple[str, ...],
    language: str,
    output_dir: Path,
    no_input: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write a new project into a new folder.

    The folder is called NAME, or TASK-MODEL where no NAME is given.

    With --task and --model given nothing is asked. A folder that holds
    anything is never written to.
    """
    from tkgen.prompts import ask_missing, is_interactive, require_answers

    catalog = load_catalog()
    asked = not (task and model) and not no_input and is_interactive()
    if asked:
        check_language(catalog, language, task)
        task, model, name = ask_missing(catalog, task, model, name)
    task, model = require_answers(catalog, task, model)
    answers = resolve_answers(catalog, task, model, name, options, language)

    from tkgen.create import create_project
    from tkgen.output import print_plan
    from tkgen.plan import plan_to_json

    plan = create_project(catalog, answers, output_dir, dry_run=dry_run)
    if as_json:
        click.echo(plan_to_json(plan, applied=not dry_run))
    else:
        print_plan(plan, applied=not dry_run)
    if asked:
        words = equivalent_command(answers, options, output_dir, dry_run)
        click.echo(f"\nthe same without questions:\n  {shlex.join(words)}", err=True)


def equivalent_command(
    answers: Answers, options: Sequence[str], output_dir: Path, dry_run: bool
) -> list[str]:
    """Return the words of the command that gives these answers unasked."""
    words = ["tkgen", "new", answers.project_slug, "--task", answers.task]
    words += ["--model", answers.model]
    words += [word for option in options for word in ("--with", option)]
    if answers.language != DEFAULT_LANGUAGE:
        words += ["--language", answers.language]
    words += ["--output-dir", str(output_dir)] if str(output_dir) != "." else []
    return words + (["--dry-run"] if dry_run else [])


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """List the tasks, models and options, one line each."""
    from tkgen.output import catalog_to_json, print_catalog

    catalog = load_catalog()
    if as_json:
        click.echo(catalog_to_json(catalog))
    else:
        print_catalog(catalog)


@cli.command()
@click.argument("task", shell_complete=completer("task"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(task: str, as_json: bool) -> None:
    """Show what TASK generates, the data it reads, and its command."""
    from tkgen.output import print_task, task_to_json

    catalog = load_catalog()
    card = catalog.find("task", task)
    if as_json:
        click.echo(task_to_json(catalog, card))
    else:
        print_task(catalog, card)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  eval "$(tkgen completion bash)"    in ~/.bashrc
    zsh:   eval "$(tkgen completion zsh)"     in ~/.zshrc
    fish:  tkgen completion fish | source     in ~/.config/fish/config.fish
    """
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    script = completion_class(cli, {}, "tkgen", COMPLETION_VARIABLE).source()
    click.echo(script)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; print every error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every locale has é
    try:
        signal.signal(signal.SIGTERM, leave)
        cli.main(
            args=arguments,
            prog_name="tkgen",
            complete_var=COMPLETION_VARIABLE,
            standalone_mode=False,
        )
        return 0
    except (click.Abort, KeyboardInterrupt):
        click.echo("\ninterrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "tkgen"
        return report(CommandLineError(error.format_message(), command), arguments)
    except TkgenError as error:
        return report(error, arguments)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            give_up_output()
            return report(CannotPrintError(error), arguments, cause=error)
        return report(UnexpectedError(error), arguments, cause=error)


def report(
    error: TkgenError, arguments: Sequence[str], cause: Exception | None = None
) -> int:
    """Print the error, after a traceback with --debug, and return its exit code."""
    if "--debug" in arguments:
        traceback.print_exception(cause or error)
    click.echo(str(error), err=True)
    return error.exit_code


def give_up_output() -> None:
    """Send what is still in the output's buffer nowhere.

    Python would try to write it once more when it ends, fail again, and replace
    the exit code by 120.
    """
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def leave(signal_number: int, frame: FrameType | None) -> None:
    """Leave through the `finally` blocks when the process is asked to end."""
    raise SystemExit(TERMINATED)
