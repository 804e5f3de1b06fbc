"""Reads guide.yml, the symptom guide (导诊, B8)."""

from pathlib import Path

from bot.hospital.model import Department, GuideRow, GuideRules
from bot.hospital.tables import Row, read_yaml, yaml_rows

FILE = "guide.yml"
CONDITIONS = ("child", "adult", "elder", "pregnant", "female", "male")


def load_guide(folder: Path, departments: dict[str, Department]) -> GuideRules:
    """Read the guide; every department must exist and have a clinic. Raises DataError."""
    data = read_yaml(folder, FILE)
    child, pregnant, elder, unsure = (
        Row(f"{FILE}, {name}", data.get(name) if isinstance(data.get(name), dict) else {})
        for name in ("child", "pregnant", "elder", "unsure")
    )
    rows: list[GuideRow] = []
    seen: dict[tuple, str] = {}
    for row in yaml_rows(FILE, data, "rows"):
        entry = _row(row, departments)
        if not entry.also:
            for word in entry.words:
                earlier = seen.setdefault((word, entry.when), row.where)
                if earlier != row.where:
                    raise row.fail("words", f"{word!r} is already in {earlier}", "Keep it in one row.")
        rows.append(entry)
    return GuideRules(
        rows=tuple(rows),
        parts=tuple(_row(row, departments) for row in yaml_rows(FILE, data, "parts")),
        troubles=Row(FILE, {"troubles": data.get("troubles")}).many("troubles"),
        child_under=child.whole("under", 1, 18),
        child_words=child.many("words"),
        child_except=child.many("except"),
        child_keep=_codes(child, "keep", departments),
        child_surgical=_codes(child, "surgical", departments),
        child_reason=child.text("reason"),
        child_surgery_reason=child.text("surgery_reason"),
        pregnant_words=pregnant.many("words"),
        pregnant_except=pregnant.many("except"),
        pregnant_first=_codes(pregnant, "after", departments),
        pregnant_reason=pregnant.text("reason"),
        elder_from=elder.whole("from", 50, 120),
        elder_reason=elder.text("reason"),
        unsure_reason=unsure.text("reason"),
    )


def _row(row: Row, departments: dict[str, Department]) -> GuideRow:
    words = row.many("words")
    if not words:
        raise row.fail("words", "is empty", "Write what patients say, such as [头晕, 头昏].")
    also = row.cells.get("also") or []
    if not (isinstance(also, list) and all(isinstance(group, list) and group for group in also)):
        raise row.fail("also", "is no list of lists", "Write [[手麻, 手发麻]].")
    to = row.table("to")
    if not 1 <= len(to) <= 3:
        raise row.fail("to", f"names {len(to)} departments", "Name one to three, best first.")
    for code in to:
        if code not in departments or not departments[code].clinic:
            raise row.fail("to", f"{code!r} has no clinic in departments.csv", "Use a code of departments.csv.")
    reasons = Row(f"{row.where}, to", dict(to))
    return GuideRow(
        words=words,
        also=tuple(Row(row.where, {"also": group}).many("also") for group in also),
        to=tuple((code, reasons.text(code)) for code in to),
        check_first=row.yes("check_first") if "check_first" in row.cells else False,
        when=row.choice("when", CONDITIONS) if row.optional("when") else None,
    )


def _codes(row: Row, column: str, departments: dict[str, Department]) -> tuple[str, ...]:
    codes = row.many(column)
    for code in codes:
        if code not in departments:
            raise row.fail(column, f"{code!r} is not in departments.csv", "Use a code of departments.csv.")
    return codes
