"""What a turn is about, as plain data, and the order in which requests count."""

import json
import re
from dataclasses import dataclass, field

from actions.talk import FLOWS

COURTESY = {
    "greet",
    "goodbye",
    "thanks",
    "apologize",
    "affirm",
    "deny",
    "chitchat",
    "bot_challenge",
    "out_of_scope",
    "nlu_fallback",
    "inform",
    "decline",
}
CONTROL = {"stop", "go_back", "repeat"}
# When the classifier is not sure, these words still say what is wanted.
PLAIN_WORDS = (
    (re.compile(r"投诉|举报"), "complaint/other"),
    (re.compile(r"转人工|人工客服|真人"), "request_human"),
    (re.compile(r"(吃|服|用|喝)(几|多少)(片|粒|颗|次|毫升|袋)"), "ask_medical_advice"),
    (re.compile(r"退号|取消预约"), "cancel_appointment"),
    (re.compile(r"挂.{0,6}号|预约|掛號|約號|[约挂約掛](他|她|这个|那个|这位|那位)"), "book_appointment"),
    (re.compile(r"多少钱|价格|幾多錢|多少錢"), "query_price"),
    (re.compile(r"报销|報銷|(医保|职工|居民).*(花了|总共|一共|\d万|[一二三四五六七八九]万)"), "estimate_reimbursement"),
    (re.compile(r"疼|痛|难受|不舒服|發燒|发烧|头晕|咳"), "find_department"),
)


@dataclass
class Decision:
    """The label Rasa acts on and what goes with it."""

    label: str
    text: str
    entities: list[dict] = field(default_factory=list)
    confidence: float = 1.0
    ranking: list = field(default_factory=list)
    more: list[dict] = field(default_factory=list)  # other requests of the message: label, text, entities
    button: bool = False
    stale: bool = False
    ellipsis: bool = False
    elder: bool = False
    wait: bool = False
    resume: bool = False  # the answer is to the task that was set aside
    danger: str | None = None
    heard: str = ""  # the label before the open question had its say

    def __post_init__(self) -> None:
        self.heard = self.label

    def parse_data(self) -> dict:
        """Give the turn in the form Rasa's processor takes; retrieval fields as its ResponseSelector would fill them."""
        base, _, key = self.label.partition("/")
        intent = {"name": base, "confidence": self.confidence}
        data = {
            "text": self.text,
            "intent": intent,
            "intent_ranking": [intent],
            "entities": self.entities,
            "response_selector": {"all_retrieval_intents": ["faq", "complaint", "chitchat"]},
        }
        if key:
            response = {
                "intent_response_key": self.label,
                "utter_action": f"utter_{self.label}",
                "confidence": self.confidence,
                "responses": [],
            }
            data["response_selector"][base] = {
                "response": response,
                "ranking": [{"intent_response_key": self.label, "confidence": self.confidence}],
            }
        return data


def base(label: str) -> str:
    """Give the intent without its key."""
    return label.partition("/")[0]


def rank(label: str) -> int:
    """Give the place of a label in the guideline's order; lower comes first."""
    name = base(label)
    if name == "emergency":
        return 0
    if name == "complaint":
        return 1
    if name == "request_human":
        return 2
    if name in COURTESY:
        return 6
    if name in CONTROL:
        return 5
    known = FLOWS.get(name)
    return 3 if known and not known.question else 4


def from_payload(payload: str, title: str) -> Decision:
    """Read a button's payload, /intent{"entity": value}, minted by ourselves."""
    name, _, rest = payload.lstrip("/").partition("{")
    given = json.loads("{" + rest) if rest else {}
    entities = [{"entity": k, "value": v, "text": title, "start": 0, "end": len(title)} for k, v in given.items()]
    return Decision(name, title, entities, button=True)


def by_words(text: str) -> str | None:
    """Give the request that plain words name, None when they name none; asked where the classifier is not sure."""
    return next((label for words, label in PLAIN_WORDS if words.search(text)), None)
