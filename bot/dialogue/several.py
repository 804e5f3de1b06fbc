"""Several requests in one message: 挂个骨科的号，另外核磁多少钱. One is acted on now, the others stay beside it (Decision.more)."""

import re
from collections.abc import Callable

from actions import told
from actions.reading import can_answer
from actions.talk import FLOWS, Message
from bot.dialogue.decision import COURTESY, Decision, base, rank

SENTENCES = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]*")
CLAUSES = re.compile(r"(?:(?<=[\u4e00-\u9fff])[^\S\n]+(?=[\u4e00-\u9fff])|[，,。！？!?；;\n])+")
_AND = r"另外|[还還]有(?!号|號|医|醫|没|沒|吗|嗎|多|几|幾|谁|人|位|大夫|专家)|[顺順]便|再问|对了"  # but not 还有号吗
ALSO = re.compile(rf"{_AND}|[还還]想|再帮|同时|此外")
BEFORE_ALSO = re.compile(rf"(?={_AND}|再帮我)")
IDENTIFYING = {"person_name", "id_number", "phone", "card_number", "ticket_id"}
# What else may be asked for beside a grievance; 希望改进 and the like belong to it.
BESIDE_COMPLAINT = {"book_appointment", "cancel_appointment", "reschedule_appointment", "query_my_appointments"}
INSURANCE = {"estimate_reimbursement", "check_insurance_coverage", "query_insurance_policy"}
VISIT = {"book_appointment", "query_schedule"}  # 想看看，明天有号吗 is one wish
NEVER = re.compile(r"(?!)")
SAYS_NOTHING = {  # words that name none, where the name is not known: 这个科, 示范市参保
    "department": re.compile(r"(这个?|那个?|哪个?|什么)?科室?|门诊"),
    "insurance_type": re.compile(r"[^保合民工生费险]*"),
}
SECOND = 0.55  # above this another sentence is a request of its own
CLEAR = 0.8  # and above this a mere clause is
CERTAIN = 0.95  # without a word that joins (另外), only from here on
MOST = 3  # other requests that one message may bring

Heard = list[tuple[str, object]]  # words and their reading


def hear(texts: list[str], read: Callable[[str], object], task: dict | None) -> Decision:
    """Read what was typed, sentence by sentence, and give what it is about. `task` is the open one, with its question."""
    units = [unit for text in texts for unit in _sentences(text)]
    heard = [(unit, read(unit)) for unit in units[:12]]
    decision = _merge("\n".join(texts), heard, task)
    return _by_clauses(units[0], decision, read, task) if len(units) == 1 else decision


def _sentences(text: str) -> list[str]:
    found = [s.strip() for s in SENTENCES.findall(text)]
    return [s for s in found if s.strip("。！？!?；;\n ")] or [text]


def _entities(reading) -> list[dict]:
    return [
        {"entity": e.entity, "start": e.start, "end": e.end, "text": e.text, "value": e.value}
        for e in reading.entities
        if not (e.value is None and SAYS_NOTHING.get(e.entity, NEVER).fullmatch(e.text))
    ]


def _request(words: str, reading) -> dict:
    return {"label": reading.label, "text": words, "entities": _entities(reading)}


def _answer_beside_question(heard: Heard, task: dict | None, sure: float) -> int | None:
    """Give the place of the words that answer the open question while others ask something: 明天上午。停车方便吗."""
    if not task or not task.get("asked") or not any(base(r.label) == "faq" and r.confidence >= sure for _, r in heard):
        return None
    flow = FLOWS.get(task["name"])
    if flow is None or task["asked"] in flow.free_text:
        return None
    for place, (words, reading) in enumerate(heard):
        if base(reading.label) != "faq" and can_answer(task, Message(reading.label, words, _entities(reading)), ()):
            return place
    return None


def _merge(text: str, heard: Heard, task: dict | None) -> Decision:
    answer = _answer_beside_question(heard, task, SECOND)
    chosen = min(range(len(heard)), key=lambda i: (rank(heard[i][1].label), i)) if answer is None else answer
    words, reading = heard[chosen]
    entities, more = _entities(reading), []
    for index, (unit, other) in enumerate(heard):
        if index == chosen:
            continue
        have = {(e["entity"], e["text"]) for e in entities}
        entities += [e for e in _entities(other) if e["entity"] in IDENTIFYING and (e["entity"], e["text"]) not in have]
        # A fragment (心内科 / 明天) belongs to the request beside it, and so does more of the same kind.
        if base(other.label) in COURTESY or (base(other.label) == base(reading.label) and base(other.label) != "faq"):
            have = {(e["entity"], e["text"]) for e in entities}
            entities += [e for e in _entities(other) if (e["entity"], e["text"]) not in have]
        elif rank(reading.label) == 1 and told.only_demands(unit):
            continue  # 我要求退钱 is what the complaint demands
        elif rank(other.label) <= 4 and other.confidence >= SECOND and _new(other.label, reading.label, more):
            more.append(_request(unit, other))
    danger = next((r.danger for _, r in heard if r.danger), None)
    said = text if answer is None else words
    return Decision(reading.label, said, entities, reading.confidence, list(reading.ranking), more, danger=danger)


def _new(label: str, chosen: str, more: list[dict]) -> bool:
    return len(more) < MOST and label not in (chosen, *(one["label"] for one in more))


def _by_clauses(unit: str, decision: Decision, read, task: dict | None) -> Decision:
    """Look for another request in the clauses of one sentence: 挂个骨科的号，另外核磁多少钱.

    A person or a task asked for in one clause goes before a question in another (我的核磁在哪天，要准备什么).
    """
    clauses = [c.strip() for part in CLAUSES.split(unit) for c in BEFORE_ALSO.split(part) if c and len(c.strip()) >= 3]
    if not 2 <= len(clauses) <= 5 or rank(decision.label) in (0, 2):
        return decision
    heard = [(clause, read(ALSO.sub("", clause) or clause)) for clause in clauses]
    answer = _answer_beside_question(heard, task, CLEAR)
    if answer is not None:
        words, reading = heard[answer]
        more = [_request(w, r) for w, r in heard if base(r.label) == "faq" and r.confidence >= CLEAR]
        return Decision(reading.label, words, _entities(reading), reading.confidence, decision.ranking, more[:MOST])
    if rank(decision.label) >= 3:
        before = (2, 3) if rank(decision.label) == 4 else (2,)
        doing = next((pair for pair in heard if rank(pair[1].label) in before and pair[1].confidence >= CLEAR), None)
        if doing:
            words, reading = doing
            whole = {"label": decision.label, "text": clauses[-1], "entities": decision.entities}
            more = [
                whole if r.label == decision.label else _request(w, r)
                for w, r in heard
                if rank(r.label) in (3, 4)
                and base(r.label) != base(reading.label)
                and {base(r.label), base(reading.label)} != VISIT
                and r.confidence >= CLEAR
            ]
            more = more[:MOST] or ([whole] if {base(decision.label), base(reading.label)} != VISIT else [])
            return Decision(
                reading.label, decision.text, _entities(reading), reading.confidence, decision.ranking, more
            )
    if base(decision.label) == "faq" and any(r.label == decision.label for _, r in heard):
        for clause, other in heard:
            if base(other.label) == "faq" and other.confidence >= CLEAR:
                if _new(other.label, decision.label, decision.more):
                    decision.more.append(_request(clause, other))
        if decision.more:
            return decision
    sure = SECOND if ALSO.search(unit) or rank(decision.label) == 1 else CERTAIN
    for clause, other in heard:
        pair = {base(other.label), base(decision.label)}
        if pair == VISIT or (sure == CERTAIN and pair <= INSURANCE):
            continue  # two readings of one question
        if rank(decision.label) == 1 and base(other.label) not in BESIDE_COMPLAINT:
            continue
        if base(other.label) != base(decision.label) and rank(other.label) in (3, 4) and other.confidence >= sure:
            if not _new(other.label, decision.label, decision.more):
                continue
            # What belongs to the other request is not a fact of the first, unless the first is a story.
            if rank(decision.label) != 1:
                mine = {(e.entity, e.text) for e in other.entities}
                decision.entities = [e for e in decision.entities if (e["entity"], e["text"]) not in mine]
            decision.more.append(_request(clause, other))
    return decision
