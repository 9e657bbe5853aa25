"""Reads frames, the patterns of passages and questions, from the files in ``frames/``.

A frame file is plain text. ``domain:`` names the domain; ``frame:`` begins a frame:

    frame: bridge-history            ends in @validation where only validation may
                                     use it, in @new where only test-new may
    slots: name=town; y1=1790..1860; y2=y1+2..6; why=a short cut / a safe crossing
    subject: the {name} Bridge       what {S} stands for in questions
    * sentence                       always present, keeps its place
    $ sentence                       optional, keeps its place
    - sentence                       always present, shuffled with its neighbours
    ? sentence                       optional, shuffled with its neighbours
    / sentence                       another wording of the sentence above it
    q opened: When was {S} opened? || Since when ...

``[opened=1843]`` marks the answer to ``q opened``; ``[opened@other=1802]`` answers the
same question about the entity in the slot ``other``, which the passage also speaks of.
"""

from dataclasses import dataclass, field
from pathlib import Path

FRAME_FOLDER = Path(__file__).parent / "frames"


@dataclass
class Unit:
    """One sentence, or a few that belong together, in one or more wordings."""

    optional: bool
    movable: bool
    wordings: list[str]


@dataclass
class Frame:
    """A pattern of passages with the questions that they may answer."""

    name: str
    domain: str
    audience: str  # "train" (seen in every split), "validation" or "new" (test alone)
    subject: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    questions: dict[str, list[str]] = field(default_factory=dict)


def _add_line(frame: Frame, line: str) -> None:
    """Add one line of a frame file to the frame that it belongs to."""
    head, _, rest = line.partition(" ")
    if head == "slots:":
        frame.slots |= {
            name.strip(): expression.strip()
            for name, expression in (slot.split("=", 1) for slot in rest.split(";"))
        }
    elif head == "subject:":
        frame.subject = rest
    elif head in ("*", "$", "-", "?"):
        frame.units.append(Unit(head in "$?", head in "-?", [rest]))
    elif head == "/":
        frame.units[-1].wordings.append(rest)
    elif head == "q":
        key, _, forms = rest.partition(": ")
        frame.questions[key] = [form.strip() for form in forms.split("||")]
    else:
        raise ValueError(f"Frame {frame.name}: cannot read the line {line!r}.")


def read_frames(path: Path) -> list[Frame]:
    """Read the frames of one file."""
    frames: list[Frame] = []
    domain = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("domain: "):
            domain = line.removeprefix("domain: ")
        elif line.startswith("frame: "):
            name, _, audience = line.removeprefix("frame: ").partition(" @")
            frames.append(Frame(name, domain, audience or "train"))
        else:
            _add_line(frames[-1], line)
    return frames


def read_all_frames() -> list[Frame]:
    """Read the frames of all files, in the order of the files' names."""
    return [
        frame
        for path in sorted(FRAME_FOLDER.glob("*.txt"))
        for frame in read_frames(path)
    ]
