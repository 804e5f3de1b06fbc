"""Labels and Rasa's fields: a full label such as faq/parking is intent `faq` and response key `parking`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

FALLBACK = "nlu_fallback"
Ranking = Sequence[tuple[str, float]]

# docs/nlu-guideline.md: the one whose answer would disappoint most if it were left out goes first.
_TASKS = frozenset(
    "book_appointment cancel_appointment reschedule_appointment query_my_appointments query_bill "
    "estimate_reimbursement track_ticket suggestion praise "
    "request_referral privacy_request report_death decline".split()
)
_ANSWERS = frozenset("inform stop go_back repeat affirm deny".split())
_COURTESY = frozenset("greet goodbye thanks apologize chitchat abuse".split())


@lru_cache(maxsize=1000)
def base_of(label: str) -> str:
    """Give the intent of a full label: faq/parking -> faq."""
    return label.split("/", 1)[0]


def weight_of(label: str) -> int:
    """Give the place of a label in the order emergency, complaint, person, task, question, answer, courtesy, other."""
    base = base_of(label)
    for place, group in enumerate(({"emergency"}, {"complaint"}, {"request_human"}, _TASKS)):
        if base in group:
            return place
    if base in _ANSWERS:
        return 5
    if base in _COURTESY:
        return 6
    return 7 if base in {"out_of_scope", FALLBACK} else 4


def intent_fields(label: str, ranking: Ranking) -> dict[str, Any]:
    """Give `intent`, `intent_ranking` and `response_selector` as Rasa's dialogue reads them.

    label: the full label that counts, FALLBACK when the desk asks back. An intent with keys has the sum of its keys'
    confidences; the label's own intent stands first in the ranking even where another's keys sum higher.
    """
    sums: dict[str, float] = {}
    keys: dict[str, list[tuple[str, float]]] = {}
    for name, confidence in ranking:
        base = base_of(name)
        sums[base] = sums.get(base, 0.0) + confidence
        if "/" in name:
            keys.setdefault(base, []).append((name, confidence))
    order = sorted(sums.items(), key=lambda item: (item[0] != base_of(label), -item[1]))
    intents = [{"name": name, "confidence": min(confidence, 1.0)} for name, confidence in order]
    if label == FALLBACK:
        intents.insert(0, {"name": FALLBACK, "confidence": 1.0 - max(ranking[0][1], 0.0) if ranking else 1.0})
    selector: dict[str, Any] = {"all_retrieval_intents": sorted(keys)}
    for base, entries in keys.items():
        first, sure = next((entry for entry in entries if entry[0] == label), entries[0])
        selector[base] = {
            "response": {
                "responses": [],
                "confidence": sure,
                "intent_response_key": first,
                "utter_action": f"utter_{first}",
            },
            "ranking": [{"confidence": confidence, "intent_response_key": name} for name, confidence in entries],
        }
    return {"intent": intents[0], "intent_ranking": intents, "response_selector": selector}
