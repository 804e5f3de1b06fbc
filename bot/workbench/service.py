"""A trainer's deeds with messages and examples. Each one is checked, written, committed in his name and audited."""

from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from bot.clock import now
from bot.staff.service import Staff
from bot.storage.engine import reading, writing
from bot.web.errors import Refused
from bot.workbench import checks, cutting, files, history, inbox, labels, models
from bot.workbench.annotation import Span, annotate, clean, parse
from bot.workbench.door import audit
from bot.workbench.project import Project
from bot.workbench.tables import training_marks

ALIKE = 0.2  # share of character pairs from which a line's label is worth proposing
PAGE = 60  # messages of the inbox at a time
DAYS = (1, 7, 30, 90)
STATES = ("open", "labelled", "skipped", "all")


def the_project() -> Project:
    """Give the project that the workbench changes: the one this process runs from."""
    return Project()


def inbox_page(state: str, days: int, reason: str, label: str, words: str, start: int) -> dict:
    """Give messages that teach most, filtered; `counts` of every reason under the other filters."""
    with reading() as conn:
        found = inbox.messages(conn, now() - timedelta(days=days))
        marks = inbox.marks(conn)
    known = checks.lines_of(the_project()).same
    wanted = checks.fold(words) if words else ""
    rows, counts = [], dict.fromkeys(inbox.REASONS, 0)
    for each in found:
        mark = marks.get(each.key)
        now_state = mark.state if mark else "labelled" if checks.fold(each.text) in known else "open"
        if state != "all" and now_state != state:
            continue
        if (label and each.intent != label) or (wanted and wanted not in checks.fold(each.text)):
            continue
        for one in each.reasons:
            counts[one] += 1
        if reason and reason not in each.reasons:
            continue
        rows.append((each, mark, now_state))
    return {
        "total": len(rows),
        "counts": counts,
        "messages": [_message(each, mark, now_state) for each, mark, now_state in rows[start : start + PAGE]],
    }


def _message(each: inbox.Message, mark, state: str) -> dict:
    return {
        "key": each.key,
        "text": each.text,
        "intent": each.intent,
        "title": labels.title(each.intent, the_project()),
        "confidence": each.confidence,
        "at": each.at.isoformat(),
        "chat": each.conversation_id,
        "seq": each.seq,
        "reasons": [reason for reason in inbox.REASONS if reason in each.reasons],
        "times": each.times,
        "state": state,
        "label": mark.label if mark else None,
    }


def context(who: Staff, chat: str, seq: int) -> dict:
    """Give the talk around a message; looking is audited."""
    with reading() as conn:
        found = inbox.context(conn, chat, seq)
    if not found:
        raise Refused(404, "gone", "这段对话已经按规定删除了。")
    audit(who, "workbench_read", {"conversation": chat, "seq": seq})
    for line in found:
        line["title"] = labels.title(line["intent"], the_project()) if line["intent"] else None
    return {"lines": found}


def all_labels() -> dict:
    """Give labels, entities and reasons with their Chinese names."""
    reasons = {name: words for name, (_, words) in inbox.REASONS.items()}
    return {"labels": labels.all_labels(the_project()), "entities": labels.entities(), "reasons": reasons}


def cut(text: str) -> dict:
    """Give a text ready to be labelled: words to click on, entities that others usually mark, labels of lines like it."""
    text = clean(text)
    lines = checks.lines_of(the_project())
    near = list(dict.fromkeys(example.label for _, example in lines.near(text, ALIKE)))
    usual = [_span(each) for each in lines.usual(text)]
    return {"text": text, "words": cutting.words(the_project(), text), "usual": usual, "near": near[:8]}


def check(text: str, label: str, spans: list[dict], sure: float | None, besides: str) -> dict:
    """Give what speaks against a line before it is saved, and how it will stand in the file."""
    text, marks = clean(text), _spans(spans)
    found = checks.lines_of(the_project()).findings(text, label, sure, marks, besides)
    return {"example": annotate(text, marks), "findings": [_finding(each) for each in found]}


def _finding(each: checks.Finding) -> dict:
    example = each.example
    shown = (
        {
            "label": example.label,
            "title": labels.title(example.label, the_project()),
            "text": example.text,
            "file": example.file,
        }
        if example
        else None
    )
    return {"kind": each.kind, "text": each.text, "stops": each.stops, "example": shown}


def save(who: Staff, given: list[dict]) -> dict:
    """Write messages into the training files: {key, text, label, file, spans}; a conflict or a repeat stops all of them."""
    place = the_project()
    known = {each["label"]: each for each in labels.all_labels(place)}
    ready = []
    for each in given:
        text, spans = clean(each["text"]), _spans(each.get("spans") or [])
        label, file = each["label"], each.get("file") or ""
        if label not in known:
            raise Refused(400, "unknown_label", "请先选择意图。")
        stops = [one for one in checks.lines_of(place).findings(text, label, None, spans) if one.stops]
        if stops:
            raise Refused(
                409,
                stops[0].kind,
                f"{stops[0].text}：{stops[0].example.text}（{labels.title(stops[0].example.label, place)}）",
            )
        ready.append(
            (each.get("key") or inbox.key_of(text), annotate(text, spans), label, file or known[label]["files"][0])
        )
    models.pin(place, who.name, now())
    for key, example, label, file in ready:
        files.add(place, file, label, example)
        with writing() as conn:
            _mark(conn, key, "labelled", who, label, file, example)
    first = ready[0]
    words = f"标注：{parse(first[1])[0][:40]} → {labels.title(first[2], place)}" + (
        f" 等{len(ready)}条" if len(ready) > 1 else ""
    )
    sha = history.commit(
        place, [place.data / file for file in sorted({each[3] for each in ready})], words, who.name, who.number
    )
    audit(who, "workbench_label", {"count": len(ready), "labels": sorted({each[2] for each in ready}), "commit": sha})
    return {"saved": len(ready), "commit": sha}


def skip(who: Staff, keys: list[str]) -> dict:
    """Put messages aside: they teach nothing."""
    with writing() as conn:
        for key in keys:
            _mark(conn, key, "skipped", who)
    audit(who, "workbench_skip", {"count": len(keys)})
    return {"skipped": len(keys)}


def undo(who: Staff) -> dict:
    """Take back this trainer's last deed with a message: its line leaves the file, it is open again."""
    place = the_project()
    with reading() as conn:
        last = conn.execute(
            select(training_marks)
            .where(training_marks.c.staff_id == who.id)
            .order_by(training_marks.c.at.desc())
            .limit(1)
        ).first()
    if last is None:
        raise Refused(409, "nothing", "没有可以撤销的操作。")
    if last.state == "labelled":
        files.remove(place, last.file, last.label, last.example)
        words = f"撤销标注：{parse(last.example)[0][:40]}"
        history.commit(place, [place.data / last.file], words, who.name, who.number)
    with writing() as conn:
        conn.execute(delete(training_marks).where(training_marks.c.key == last.key))
    audit(who, "workbench_undo", {"state": last.state, "label": last.label})
    return {"undone": last.state, "key": last.key}


def _mark(conn: Connection, key: str, state: str, who: Staff, label=None, file=None, example=None) -> None:
    conn.execute(delete(training_marks).where(training_marks.c.key == key))
    values = dict(key=key, state=state, label=label, file=file, example=example, staff_id=who.id, at=now())
    conn.execute(insert(training_marks).values(**values))


def _spans(given: list[dict]) -> list[Span]:
    kinds = labels.entities()
    spans = [
        Span(int(each["start"]), int(each["end"]), str(each["entity"]), tuple(map(tuple, each.get("more") or ())))
        for each in given
    ]
    if unknown := [each.entity for each in spans if each.entity not in kinds]:
        raise Refused(400, "unknown_entity", f"没有“{unknown[0]}”这种标注。")
    return spans


def examples_of(label: str, words: str, start: int) -> dict:
    """Give the examples of a label, or of all labels where words are searched, as they stand in the files."""
    wanted = checks.fold(words) if words else ""
    lines = checks.lines_of(the_project())
    found = [
        example
        for example, folded in zip(lines.given, lines.folded)
        if (not label or example.label == label) and (not wanted or wanted in folded)
    ]
    rows = []
    for example in found[start : start + PAGE]:
        plain, spans = parse(example.text)
        rows.append(
            {
                **asdict(example),
                "plain": plain,
                "title": labels.title(example.label, the_project()),
                "spans": [_span(each) for each in spans],
            }
        )
    return {"total": len(found), "examples": rows}


def _span(span: Span) -> dict:
    return {"start": span.start, "end": span.end, "entity": span.entity, "more": [list(each) for each in span.more]}


def change_example(who: Staff, file: str, label: str, old: str, new_label: str, text: str, spans: list[dict]) -> dict:
    """Change one example where it stands; another label moves it there. An empty text takes it out."""
    place = the_project()
    models.pin(place, who.name, now())
    if not text.strip():
        files.remove(place, file, label, old)
        changed, words = [file], f"删除例句：{parse(old)[0][:40]}"
    else:
        text, marks = clean(text), _spans(spans)
        example = annotate(text, marks)
        stops = [each for each in checks.lines_of(place).findings(text, new_label, None, marks, old) if each.stops]
        if stops:
            raise Refused(409, stops[0].kind, f"{stops[0].text}：{stops[0].example.text}")
        words = f"修改例句：{text[:40]}"
        if new_label == label:
            files.change(place, file, label, old, example)
            changed = [file]
        else:
            target = next((each["files"][0] for each in labels.all_labels(place) if each["label"] == new_label), None)
            if target is None:
                raise Refused(400, "unknown_label", "请先选择意图。")
            files.remove(place, file, label, old)
            files.add(place, target, new_label, example)
            changed = sorted({file, target})
    sha = history.commit(place, [place.data / each for each in changed], words, who.name, who.number)
    audit(who, "workbench_example", {"label": label, "commit": sha})
    return {"commit": sha}
