"""Text files and the JSON in them: UTF-8, a line at a time, and nothing is guessed.

What cannot be read is an error with file and line, and so is what reading would change
without a word: a field that comes twice, half of a character.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .errors import UserError

Lines = Iterable[tuple[int, str]]  # number from 1 on, text without its line end
BadLine = Callable[[str, str], UserError]  # source, what is wrong with it

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_text(path: Path, wanted: str, name: str = "") -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    `wanted` is what to give instead, and `name` what errors call the file. Raises
    UserError that names another encoding, and for line ends that are no "\\n".
    """
    name = name or str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(name, error, wanted) from error
    check_start(content, name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise not_utf8(name, number, content) from error
    if "\n" not in text:
        check_line_end(text, name)
    return text


def read_lines(path: Path, wanted: str, name: str = "") -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of a UTF-8 file, which may be endless.

    Lines end at "\\n" alone: U+2028 may stand in a text. Raises as `read_text` does.
    """
    name, number = name or str(path), 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if number == 1:
                    check_start(raw, name)
                    raw = raw.removeprefix(codecs.BOM_UTF8)
                line = raw.decode("utf-8")
                if number == 1 and not line.endswith("\n"):
                    check_line_end(line, name)
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise not_utf8(name, number, error.object) from error
    except OSError as error:
        raise unreadable(name, error, wanted) from error


def plain_lines(lines: Lines, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file of plain text; raise UserError where it is JSON."""
    for number, line in lines:
        if number == 1 and is_json(line):
            why = "it begins as JSON does, and would be read as plain text"
            raise UserError(f"cannot read {name}", why, "let its name end in .jsonl")
        yield number, line


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of a text; lines end at "\\n" alone."""
    for number, line in enumerate(text.split("\n"), start=1):
        yield number, line.rstrip("\r")


def unreadable(name: str, error: OSError, wanted: str) -> UserError:
    """Return the error for a file that the system does not give."""
    why = error.strerror or str(error)
    return UserError(f"cannot read {name}", why, f"give {wanted}")


def check_start(content: bytes, name: str) -> None:
    """Raise UserError where a file begins as UTF-16 or UTF-32 does."""
    # Of ASCII letters every second byte is zero, or three of four.
    zeros = content[:4].count(0)
    if content.startswith(UTF32_MARKS) or zeros > 2:
        encoding = "UTF-32"
    elif content.startswith(UTF16_MARKS) or zeros == 2:
        encoding = "UTF-16"
    else:
        return
    remedy = f"convert it: iconv -f {encoding} -t UTF-8 {name} > converted"
    raise UserError(f"cannot read {name}", f"it is {encoding}", remedy)


def check_line_end(line: str, name: str) -> None:
    """Raise UserError where the only line of a file is several that end in "\\r"."""
    if "\r" in line.rstrip("\r"):
        raise UserError(
            f"cannot read {name}",
            "its lines end in carriage returns alone, as in old Macintosh files",
            f"tr '\\r' '\\n' < {name} > converted",
        )


def not_utf8(name: str, number: int, content: bytes) -> UserError:
    """Return the error for a line that is not UTF-8, with the likely encoding."""
    what, why = f"cannot read {name}:{number}", f"line {number} is not UTF-8"
    text = content.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if sum(not letter.isascii() for letter in text) > 2 * bad:
        remedy = "correct it there"
        return UserError(what, f"{why}, though most letters around are", remedy)
    encoding = likely_encoding(content)
    remedy = f"if so, convert it: iconv -f {encoding} -t UTF-8 {name} > converted"
    called = encoding.replace("LATIN1", "Latin-1")
    return UserError(what, f"{why}; it may be {called}", remedy)


def likely_encoding(content: bytes) -> str:
    """Return what text may be that is not UTF-8."""
    # Chinese comes in pairs of high bytes, Western letters stand alone.
    high = len(re.findall(rb"[\x80-\xff]", content))
    pairs = len(re.findall(rb"[\x81-\xfe][\x80-\xfe]", content))
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return "LATIN1"
    return "GB18030" if 4 * pairs > high else "LATIN1"


def json_objects(
    lines: Lines, name: str, bad_line: BadLine
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield source, `FILE:LINE`, and object of each line of JSONL that is not blank.

    Raises what `bad_line` makes of a source and of what is wrong there.
    """
    for number, line in lines:
        if not line.strip():
            continue
        source = f"{name}:{number}"
        try:
            record = parse_json(line)
        except ValueError as error:
            why = f"the line is not JSON: {error}"
            if line.strip() in ("[", "{"):
                why = f"JSON over several lines; a line each: {as_lines(line, name)}"
            raise bad_line(source, why) from error
        if not isinstance(record, dict):
            why = "it is not an object"
            if isinstance(record, list):
                why += f", but a list; a line each: {as_lines(line, name)}"
            raise bad_line(source, why)
        yield source, record


def json_tree(text: str, name: str, bad_line: BadLine) -> Any:
    """Return the value of a file that is one value of JSON, None where it is none.

    Raises what `bad_line` makes of the file and of what is wrong in a value of several
    lines, which cannot be a value a line.
    """
    try:
        return parse_json(text)
    except ValueError as error:
        if text.strip().partition("\n")[0].strip() in ("[", "{"):
            raise bad_line(name, f"it is not JSON: {error}") from error
    return None


def as_lines(line: str, name: str) -> str:
    """Return the command that writes a file of JSON as JSONL."""
    what = "'.[]'" if line.strip().startswith("[") else "."
    return f"jq -c {what} {name}"


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; raise ValueError where there is none.

    So it does for a field that an object has twice, of which one would be lost, and for
    half of a UTF-16 pair, which is no character and cannot be written.
    """
    try:
        value = json.loads(text, object_pairs_hook=without_repetition)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise ValueError(
                f"{half} is half of a UTF-16 pair, and no character"
            ) from error
    return value


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's fields; raise ValueError where a name comes twice."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'the field "{twice}" comes twice')
    return fields


def is_json(line: str) -> bool:
    """Return whether a line is an object or a list of JSON."""
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def record_id(record: dict[str, Any], source: str, bad_line: BadLine) -> str:
    """Return the id of a record; where it has none, its source.

    Raises what `bad_line` makes of an id that is neither text nor whole number.
    """
    name = record.get("id")
    if name is None or name == "":
        return source
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise bad_line(source, '"id" is neither a text nor a whole number')
    return str(name)
