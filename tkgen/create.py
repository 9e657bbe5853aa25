"""Carries out `tkgen new`: build beside the target, plan, and publish."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tkgen.answers import Answers
from tkgen.apply import (
    check_target,
    made_folder,
    publish,
    staging_folder,
    write_files,
)
from tkgen.catalog import Catalog
from tkgen.errors import CannotWriteError
from tkgen.plan import Plan, make_plan
from tkgen.render import render
from tkgen.state import make_state, record_files
from tkgen.tidy import tidy
from tkgen.verify import verify


def build(
    catalog: Catalog, answers: Answers, staging: Path, target: Path
) -> tuple[Path, Plan]:
    """Write the whole project into the staging folder.

    Returns the staged project's folder and the plan that moves it to the
    target. Raises BrokenTemplateError, or OSError where it cannot be written.
    """
    project = render(catalog, answers, staging)
    tidy(catalog, answers, project)
    contents = verify(catalog, answers, project)
    records = record_files(catalog, answers, contents)
    state = make_state(answers, records, contents)
    write_files(project, state)
    plan = make_plan(catalog, answers, target, records, contents, state)
    return project, plan


def create_project(
    catalog: Catalog, answers: Answers, output_dir: Path, *, dry_run: bool = False
) -> Plan:
    """Create the project in the output folder and return what was done.

    A dry run does all of it in the system's temporary folder and publishes
    nothing. Raises a RefusalError where the target is taken or cannot be
    written, and a DefectError where a template is broken; in both cases
    nothing is left behind.
    """
    target = output_dir / answers.project_slug
    try:
        check_target(target)
        with build_folder(output_dir, dry_run) as staging:
            project, plan = build(catalog, answers, staging, target)
            if not dry_run:
                publish(project, staging.parent / target.name)
            return plan
    except OSError as error:
        raise CannotWriteError(target, error) from error


@contextmanager
def build_folder(output_dir: Path, dry_run: bool) -> Iterator[Path]:
    """Make the folder to build in: beside the target, or away from it."""
    if dry_run:
        with staging_folder(Path(tempfile.gettempdir())) as staging:
            yield staging
        return
    parent = Path(output_dir).resolve()
    with made_folder(parent), staging_folder(parent) as staging:
        yield staging
