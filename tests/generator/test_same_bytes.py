"""The same answers give the same bytes: everywhere, and by every way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import QA_BERT, Run, contents, environment, tree

HOSTILE_FILES = {
    ".cookiecutterrc": 'default_context:\n  package: "evil"\n  task: "evil"\n'
    'abbreviations:\n  gh: "evil"\n',
    ".config/black": "[tool.black]\nline-length = 20\n",
    ".config/pip/pip.conf": "[global]\nindex-url = http://127.0.0.1:1/\n",
    "pyproject.toml": "[tool.black]\nline-length = 20\n[tool.ruff]\nline-length = 20\n",
    "cookiecutter.json": '{"task": "evil"}',
    "sitecustomize.py": "raise SystemExit('imported from the working directory')",
    "templates/common/train.py": "evil = True\n",
}


@pytest.fixture
def hostile_home(tmp_path: Path) -> Path:
    """A home folder whose settings would change a render that listened to them."""
    home = tmp_path / "home"
    for name, text in HOSTILE_FILES.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return home


def test_surroundings_change_nothing(
    tkgen: Run, tmp_path: Path, hostile_home: Path
) -> None:
    """Home, folders above, language, time zone and umask change no byte and no mode."""
    assert tkgen("new", *QA_BERT, "--output-dir", "plain").returncode == 0
    below = hostile_home / "work"
    below.mkdir()
    surroundings = {
        "HOME": str(hostile_home),
        "XDG_CONFIG_HOME": str(hostile_home / ".config"),
        "COOKIECUTTER_CONFIG": str(hostile_home / ".cookiecutterrc"),
        "TZ": "Pacific/Kiritimati",
        "LANG": "tr_TR.UTF-8",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONHASHSEED": "12345",
        "SOURCE_DATE_EPOCH": "1",
    }
    result = tkgen("new", *QA_BERT, cwd=below, env=surroundings, umask=0o077)
    assert result.returncode == 0, result.stderr
    first, second = tree(tmp_path / "plain" / "qa-bert"), tree(below / "qa-bert")
    assert first == second
    assert {entry.split()[0] for entry in first.values()} == {
        "-rw-r--r--",
        "drwxr-xr-x",
    }
    assert {path.name for path in below.iterdir()} == {"qa-bert"}


def test_cookiecutter_gives_the_same_bytes(
    checkout: Path, tkgen: Run, tmp_path: Path
) -> None:
    """`cookiecutter REPOSITORY --directory templates` writes the same files."""
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-m", "cookiecutter", str(checkout)]
    command += ["--directory", "templates", "--no-input", "task=qa", "model=bert"]
    subprocess.run(
        [*command, "--output-dir", str(tmp_path / "cookiecutter")],
        env=environment(checkout, {"HOME": str(tmp_path / "home")}),
        check=True,
        capture_output=True,
    )
    assert tkgen("new", *QA_BERT, "--output-dir", "tkgen").returncode == 0
    ours = contents(tmp_path / "tkgen" / "qa-bert")
    assert ours == contents(tmp_path / "cookiecutter" / "qa-bert")
    assert ours


def test_an_installed_wheel_gives_the_same_bytes(
    checkout: Path, tkgen: Run, tmp_path: Path
) -> None:
    """The wheel, installed by pip and compiled, generates what the checkout does."""
    if not (checkout / "README.md").exists():
        (checkout / "README.md").write_text("tkgen\n")
    build = "import sys; from hatchling.build import build_wheel as b; b(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=checkout,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index"]
    subprocess.run(
        [*install, "--target", str(site), str(wheel)], check=True, capture_output=True
    )
    skeleton = site / "tkgen" / "templates" / "{{cookiecutter.project_slug}}"
    assert (skeleton / "__pycache__").is_dir(), "pip compiled nothing: no test of that"
    result = subprocess.run(
        [sys.executable, "-m", "tkgen", "new", *QA_BERT, "--output-dir", "wheel"],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert tkgen("new", *QA_BERT, "--output-dir", "checkout").returncode == 0
    from_wheel = tree(tmp_path / "wheel" / "qa-bert")
    assert from_wheel == tree(tmp_path / "checkout" / "qa-bert")
    assert (site / "bin" / "tkgen").is_file()
