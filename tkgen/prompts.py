"""Asks on the terminal for what the command line left out."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from tkgen.answers import check_name, default_slug
from tkgen.catalog import Catalog
from tkgen.errors import MissingAnswerError, TkgenError


def is_interactive() -> bool:
    """Return whether somebody is there to read a question and to answer it."""
    streams = (sys.stdin, sys.stderr)  # None where the caller closed one
    return all(stream is not None and stream.isatty() for stream in streams)


def ask_missing(
    catalog: Catalog, task: str | None, model: str | None, name: str | None
) -> tuple[str, str, str | None]:
    """Return task, model and name, asking for task and model where missing.

    The name is asked for only in the company of another question: with task
    and model given, nothing is asked. Questions go to standard error, so that
    standard output stays what the command is run for. Raises what
    `resolve_answers` raises where a given answer is wrong, before any question.
    """
    for kind, value in (("task", task), ("model", model)):
        if value:
            catalog.find(kind, value)
    if name is not None:
        check_name(catalog, name)
    nothing_to_ask = task and model
    task = task or ask_choice(catalog, "task")
    model = model or ask_choice(catalog, "model")
    if name is None and not nothing_to_ask:
        name = ask_name(catalog, task, model)
    return task, model, name


def require_answers(
    catalog: Catalog, task: str | None, model: str | None
) -> tuple[str, str]:
    """Return task and model; raise MissingAnswerError where one is missing."""
    for kind, value in (("task", task), ("model", model)):
        if not value:
            raise MissingAnswerError(kind, catalog.names(kind))
    return task or "", model or ""


def ask_choice(catalog: Catalog, kind: str) -> str:
    """Show the choices of one kind, one line each, and return the chosen name."""
    cards = catalog.cards(kind)
    width = max(len(card.name) for card in cards)
    click.echo(f"Which {kind}? (--{kind} skips this question)", err=True)
    for card in cards:
        click.echo(f"  {card.name:<{width}}  {card.title}: {card.summary}", err=True)
    return str(
        click.prompt(
            kind.capitalize(),
            default=cards[0].name,
            value_proc=checked(lambda value: catalog.find(kind, value).name),
            err=True,
        )
    )


def ask_name(catalog: Catalog, task: str, model: str) -> str:
    """Return the project's name, asking again until it can be one."""
    slug = default_slug(
        catalog.find("task", task).name, catalog.find("model", model).name
    )

    def check(value: str) -> str:
        check_name(catalog, value)
        return value

    click.echo("Which name? (the argument NAME skips this question)", err=True)
    return str(click.prompt("Name", default=slug, value_proc=checked(check), err=True))


def checked(convert: Callable[[str], str]) -> Callable[[str], str]:
    """Return a converter whose errors make click ask again."""

    def convert_or_ask_again(value: str) -> str:
        try:
            return convert(value.strip())
        except TkgenError as error:
            message = f"{error.what}: {error.why}; {error.remedy}"
            raise click.UsageError(message) from error

    return convert_or_ask_again
