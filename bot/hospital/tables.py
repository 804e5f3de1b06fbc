"""Reads the clerk's files cell by cell, so that every mistake is named with file, row and remedy (DataError)."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import DataError
from bot.hospital.model import DayRef, Opening

SPLIT = re.compile(r"[|｜]")
# Plain decimals only: Decimal() would also take "1e9", "NaN" and full-width digits.
PLAIN_DECIMAL = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)


class Row:
    """One record of a file. Every getter gives a clean value or raises DataError."""

    def __init__(self, where: str, cells: dict) -> None:
        self.where = where
        self.cells = cells

    def fail(self, column: str, problem: str, remedy: str) -> DataError:
        """Make the error for one cell; the caller raises it."""
        return DataError(f"{self.where}, {column}: {problem}. {remedy}")

    def optional(self, column: str) -> str:
        """Give the text of a cell, "" when empty or absent."""
        value = self.cells.get(column)
        if value is None:
            return ""
        if not isinstance(value, (str, int, float, Decimal, date)):
            raise self.fail(column, "a list or a table stands where one value is expected", "Write one value.")
        return str(value).strip()

    def text(self, column: str) -> str:
        """Give the text of a cell that must be filled."""
        value = self.optional(column)
        if not value:
            raise self.fail(column, "is empty", "Fill it in.")
        return value

    def choice(self, column: str, allowed: Collection[str]) -> str:
        """Give a value out of a fixed list."""
        value = self.text(column)
        if value not in allowed:
            shown = ", ".join(list(allowed)[:20])
            raise self.fail(column, f"{value!r} is not known", f"Use one of: {shown}.")
        return value

    def reference(self, column: str, known: Collection[str], file: str) -> str:
        """Give a code that must exist in another file."""
        value = self.text(column)
        if value not in known:
            raise self.fail(column, f"{value!r} is not in {file}", f"Add it to {file} or correct the code here.")
        return value

    def yes(self, column: str) -> bool:
        """Give a yes/no cell (是/否, true/false are understood too)."""
        value = self.cells.get(column)
        if isinstance(value, bool):
            return value
        shown = self.text(column).lower()
        if shown in ("yes", "是", "true", "1"):
            return True
        if shown in ("no", "否", "false", "0"):
            return False
        raise self.fail(column, f"{shown!r} is neither yes nor no", "Write yes or no.")

    def amount(self, column: str) -> Decimal:
        """Give yuan or a quantity: not negative, at most two decimals."""
        value = self.text(column)
        if not PLAIN_DECIMAL.fullmatch(value):
            raise self.fail(column, f"{value!r} is no amount", "Write plain digits such as 12.50, without 元.")
        number = Decimal(value)
        if number.as_tuple().exponent < -2:
            raise self.fail(column, f"{value} has more than two decimals", "Round it to 0.01.")
        return number

    def share(self, column: str) -> Decimal:
        """Give a share from 0 to 1, such as 0.10 for ten per cent."""
        value = self.text(column)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not (number.is_finite() and 0 <= number <= 1):
            raise self.fail(column, f"{value!r} is no share", "Write a number from 0 to 1, such as 0.10.")
        return number

    def whole(self, column: str, low: int, high: int) -> int:
        """Give a whole number between two bounds, both allowed."""
        value = self.text(column)
        if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
            raise self.fail(column, f"{value!r} does not fit", f"Write a whole number from {low} to {high}.")
        return int(value)

    def date(self, column: str) -> date:
        """Give a calendar date."""
        value = self.text(column)
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise self.fail(column, f"{value!r} is no date", "Write it as 2026-12-01.") from error

    def day(self, column: str) -> DayRef:
        """Give a date or a relative day."""
        value = self.text(column)
        try:
            return DayRef(value)
        except ValueError as error:
            remedy = "Write 2026-12-01, a day counted from today such as +3 or -35, or 上月8日 (1 to 28)."
            raise self.fail(column, f"{value!r} is no day", remedy) from error

    def many(self, column: str) -> tuple[str, ...]:
        """Give the values of a cell separated by | (CSV) or of a list (YAML), without blanks or repeats."""
        value = self.cells.get(column)
        parts = value if isinstance(value, list) else SPLIT.split(self.optional(column))
        if not all(isinstance(part, (str, int, float)) for part in parts):
            raise self.fail(column, "holds something that is no plain text", "List plain words only.")
        return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))

    def table(self, column: str) -> MappingProxyType:
        """Give a nested YAML table, read-only."""
        value = self.cells.get(column)
        if not isinstance(value, dict):
            raise self.fail(column, "is missing or no table", "Write name: value pairs below it.")
        return MappingProxyType(value)


def read_csv(folder: Path, name: str, columns: Collection[str]) -> Iterator[Row]:
    """Give the rows of a CSV file in UTF-8 (a byte order mark from a spreadsheet program is fine).

    Row numbers in messages count as a spreadsheet does: the header is row 1. Raises DataError.
    """
    try:
        rows = list(csv.reader(io.StringIO(_read(folder, name), newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"{name}: {error}. Look for a quotation mark without its partner.") from error
    if not rows:
        raise DataError(f"{name}: is empty. Write a header with the columns {', '.join(columns)}.")
    header = [cell.strip() for cell in rows[0]]
    if missing := [column for column in columns if column not in header]:
        raise DataError(f"{name}, row 1: the columns {', '.join(missing)} are missing. Add them to the header.")
    if unknown := [column for column in header if column not in columns]:
        raise DataError(f"{name}, row 1: unknown columns {', '.join(unknown)}. Known: {', '.join(columns)}.")
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problem = f"has {len(cells)} cells where the header has {len(header)}"
            raise DataError(f'{name}, row {number}: {problem}. Put cells that contain a comma into "…".')
        yield Row(f"{name}, row {number}", dict(zip(header, cells, strict=True)))


def read_yaml(folder: Path, name: str) -> dict:
    """Give the top-level table of a YAML file. Raises DataError; a repeated key is one."""
    try:
        loaded = YAML(typ="safe").load(_read(folder, name))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise DataError(f"{name}{line}: {problem}. Check indentation, colons and repeated names.") from error
    if not isinstance(loaded, dict):
        raise DataError(f"{name}: holds no table. Write name: value pairs.")
    return loaded


def yaml_rows(name: str, data: dict, key: str) -> Iterator[Row]:
    """Give the entries of a YAML list of tables, numbered from 1."""
    entries = data.get(key)
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{name}, {key}: is missing or no list. Write entries that begin with '- '.")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise DataError(f"{name}, {key} {number}: is no table. Write name: value pairs after '- '.")
        yield Row(f"{name}, {key} {number}", entry)


def opening(row: Row) -> Opening:
    """Read one entry of `hours:`. Spans are HH:MM-HH:MM; an end below its start runs past midnight."""
    days = row.text("days")
    if days not in ("all", "working", "rest") and not set(days) <= set("一二三四五六日"):
        raise row.fail("days", f"{days!r} is not known", "Use all, working, rest, or weekdays such as 一三五.")
    spans = tuple(_span(row, text) for text in row.many("spans"))
    if not spans:
        raise row.fail("spans", "is empty", 'Write at least one span such as "08:00-12:00".')
    return Opening(days, spans, row.optional("note"))


def _span(row: Row, text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    if found:
        h1, m1, h2, m2 = map(int, found.groups())
        start, end = h1 * 60 + m1, h2 * 60 + m2
        if m1 < 60 and m2 < 60 and start < 1440 and end <= 1440 and start != end:
            return start, end
    raise row.fail("spans", f"{text!r} is no span of time", 'Write it as "08:00-12:00", at most to 24:00.')


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{name}: is missing in {folder}. Copy it from the sample folder and fill it in.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: is not UTF-8. Save it as “CSV UTF-8” in the spreadsheet program.") from error
