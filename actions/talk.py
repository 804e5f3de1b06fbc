"""How a task talks: a flow is a plain function that asks for what it needs and goes on when it has it.

    def book(talk):
        department = talk.need("department", "utter_ask_department")
        ...

`need` gives the fact when it is known. Otherwise it asks, and the flow stops there; with the patient's answer the flow runs again
from its first line and passes the questions that are answered. So nothing said is asked again, a correction (改成周四) is just
another value, and 返回 forgets the last answer. What a flow writes carries the turn's key, so running again is harmless.

State is four Rasa slots: `task` (the open task), `suspended` (tasks that wait), `later` (further requests of a message), `memory`
(facts of this talk).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from actions import reading
from bot.conversations.transcript import Line
from bot.hospital.hours import is_open

# Facts that identify a person never enter a slot: they live in bot/patients and leave only a True here.
SECRET = ("person_name", "id_number", "phone", "code")
# When a fact changes, these no longer hold.
DEPENDENT = {
    "department": ("doctor", "opening", "session", "confirmed", "patient_known"),
    "doctor": ("opening", "session", "confirmed"),
    "date": ("opening", "session", "confirmed"),
    "period": ("opening", "session", "confirmed"),
    "doctor_title": ("opening", "session", "confirmed"),
    "session": ("opening", "confirmed"),
    "opening": ("confirmed",),
    "booking": ("confirmed",),
    "relation": ("confirmed",),
}
# Facts of one task that the next task of the same talk may use.
SHARED = ("insurance_type", "employment")
OFFERS = ("resume", "later")
POINTING = re.compile(
    r"这个科|这个医生|这位|那位|那个科|就挂|那就|他的|她的|他这|那他|那她|[他她](什么|啥|哪|几|在|怎么|看)|那个医生|这科|挂一个|挂个号|给我挂|就约|约一个"
    r"|就挂最|最[早近快](的|什么时候|哪天|几号|能约)|还有号|[有冇][号號位][吗嘛么没]?|冇位|什么时候有号"
)
FEELS_ROBBED = re.compile(r"抢钱|坑钱|宰人|黑心|搶錢")
MOST_LATER = 3
MANY_QUESTIONS = 4  # R26: after four questions a person is offered


class Waiting(Exception):
    """The flow waits for the patient's answer."""


class Ended(Exception):
    """The flow ends here."""


@dataclass
class Message:
    """What the patient said this turn, as it was understood."""

    label: str
    text: str
    entities: list[dict] = field(default_factory=list)
    button: bool = False

    def values(self, entity: str) -> list:
        """Give the values of an entity, the text where it has no value."""
        return [e.get("value") or e.get("text") for e in self.entities if e["entity"] == entity]

    def texts(self, entity: str) -> list[str]:
        """Give the words of an entity as typed."""
        return [e.get("text") or str(e.get("value")) for e in self.entities if e["entity"] == entity]

    def first(self, entity: str):
        """Give the first value of an entity or None."""
        return next(iter(self.values(entity)), None)


@dataclass(frozen=True)
class Flow:
    """A thing that can be done or asked here."""

    name: str
    title: str
    run: Callable[["Talk"], None]
    question: bool = False  # answered at once, then back to the open task
    free_text: tuple[str, ...] = ()  # facts for which any words are an answer


FLOWS: dict[str, Flow] = {}


def flow(name: str, title: str, question: bool = False, free_text: Sequence[str] = ()):
    """Register a flow under the intent it serves."""

    def register(run):
        FLOWS[name] = Flow(name, title, run, question, tuple(free_text))
        return run

    return register


class Talk:
    """One turn of a conversation, as a flow sees it."""

    def __init__(self, tracker, dispatcher, domain: dict | None = None):
        self._responses: dict = (domain or {}).get("responses") or {}
        self.id: str = tracker.sender_id
        latest = tracker.latest_message
        meta = latest.get("metadata") or {}
        self.turn: str = meta["turn"]
        self.now: datetime = datetime.fromisoformat(meta["now"])
        self.rows: list[int] = meta.get("rows", [])
        self.holder: str = meta.get("holder", "bot")
        self.stale: bool = bool(meta.get("stale"))
        self.ellipsis: bool = bool(meta.get("ellipsis"))
        self.elder_asked: bool = bool(meta.get("elder"))
        self.staying: str | None = meta.get("staying")
        self.resume: bool = bool(meta.get("resume"))
        self.wait: bool = bool(meta.get("wait"))
        self.last_said: str = meta.get("last_said") or ""
        self.ranking: list = meta.get("ranking") or []
        self.patient = None  # set by actions/identity once this turn has passed the door
        self.message = Message(
            meta.get("label") or "",
            latest.get("text") or "",
            [e for e in latest.get("entities") or []],
            bool(meta.get("button")),
        )
        self.heard: str = meta.get("heard") or self.message.label  # the label before the open question had its say
        self.task: dict | None = tracker.get_slot("task")
        self.suspended: list[dict] = list(tracker.get_slot("suspended") or [])
        self.later: list[dict] = list(tracker.get_slot("later") or [])
        self.memory: dict = dict(tracker.get_slot("memory") or {})
        more: list[dict] = meta.get("more") or []  # what else this message asks
        grieved = self.message.label.startswith("complaint")  # nothing goes before the apology
        self._asides = [one for one in more if one["label"].startswith("faq/") and not grieved]  # answered at once
        self._kept = [one for one in more if one not in self._asides]
        self.later = [*self.later, *self._kept][-MOST_LATER:]
        self._dispatcher = dispatcher
        self._resumed = False

    # ---- saying

    def say(self, response: str, buttons: Sequence[dict] = (), image: str | None = None, **values) -> None:
        """Say a response of nlu_data with values filled in."""
        self._dispatcher.utter_message(response=response, buttons=list(buttons) or None, image=image, **values)

    def response_metadata(self, response: str) -> dict | None:
        """Give the metadata beside a response: owner, valid_to, id."""
        variations = self._responses.get(response) or [{}]
        return variations[0].get("metadata")

    def say_asides(self) -> None:
        """Answer the standing questions that the message asks beside its request."""
        from actions.faq import say_standing

        asides, self._asides = self._asides, []
        for one in asides:
            say_standing(self, one["label"], one["entities"])

    def receipt(self, conn, text: str) -> None:
        """Write a receipt as a system line in the caller's own transaction, so that both stand or fall together."""
        from bot.conversations import transcript

        transcript.append(conn, self.id, [Line("system", text, meta={"turn": self.turn})], self.now)

    # ---- asking

    @property
    def facts(self) -> dict:
        return self.task["facts"]

    def fact(self, name: str, default=None):
        """Give a known fact without asking."""
        return self.facts.get(name, default)

    def set(self, name: str, value) -> None:
        """Set a fact and forget what depended on its old value."""
        if self.facts.get(name) == value:
            return
        if name in self.facts or name in ("department", "doctor", "date", "period", "doctor_title"):
            for other in DEPENDENT.get(name, ()):
                self.facts.pop(other, None)
        self.facts[name] = value
        if name in SHARED:
            self.memory[name] = value

    def forget(self, *names: str) -> None:
        """Forget facts and what depends on them."""
        for name in names:
            self.facts.pop(name, None)
            for other in DEPENDENT.get(name, ()):
                self.facts.pop(other, None)

    def need(self, name: str, response: str, options: Sequence[dict] = (), **values):
        """Give a fact, or ask for it and stop here.

        `options` are {"title", "value"}: shown as buttons, and read by number, title or value.
        """
        if name in self.facts:
            return self.facts[name]
        if name in SHARED and name in self.memory:
            self.facts[name] = self.memory[name]
            return self.facts[name]
        self.ask(name, response, options, **values)

    def ask(self, name: str, response: str, options: Sequence[dict] = (), **values) -> None:
        """Ask and stop here (raises Waiting)."""
        asked_before = self.task.get("asked")
        self.task["asked"] = name
        self.task["options"] = [{"title": o["title"], "value": o["value"]} for o in options]
        if asked_before != name and not self._resumed:
            self.task["asks"] = self.task.get("asks", 0) + 1
            self.task.setdefault("order", []).append(name)
        buttons = [reading.button(name, o["title"], o["value"]) for o in options]
        if self.task.get("asks", 0) > MANY_QUESTIONS and self.holder == "bot":
            buttons.append({"title": "转人工", "payload": "/request_human"})
        self.say(response, buttons, **values)
        raise Waiting

    def agree(self, name: str, response: str, yes: str = "是的", no: str = "不用了", **values) -> bool:
        """Give yes or no to a question, asked once."""
        options = [{"title": yes, "value": True}, {"title": no, "value": False}]
        return bool(self.need(name, response, options, **values))

    def end(self) -> None:
        """End the flow (raises Ended)."""
        raise Ended

    # ---- running

    def start(self, name: str, message: Message | None = None) -> None:
        """Open a flow with what the message says; an open task is set aside and comes back."""
        if message is not None:
            self.message = message
        if name != "complaint" and FEELS_ROBBED.search(self.message.text):
            self.say("utter_soothe")  # R34: soothing first
        if self.task and self.task["name"] in OFFERS:
            self.task = None  # an offer that was not taken up; what it offered still waits
        if self.task and self.task["name"] != name:
            self.suspended = [t for t in self.suspended if t["name"] not in (name, self.task["name"])]
            if not FLOWS[self.task["name"]].question:  # a question that was left without an answer is over
                self.suspended.append(self.task)
            self.task = None
        waiting_same = next((t for t in self.suspended if t["name"] == name), None)
        if self.task is None and waiting_same and not FLOWS[name].question:
            self.suspended.remove(waiting_same)
            self.task = waiting_same
        if self.task is None or FLOWS[name].question:
            self.task = {"name": name, "facts": {}, "asked": None, "options": [], "asks": 0, "order": [], "misses": 0}
        if self.ellipsis:
            self.facts.update((self.memory.get("last_query") or {}).get("facts") or {})
        self._point_back()
        self.absorb(answer=False)
        self.run()

    def _point_back(self) -> None:
        """那就挂这个科: what was just spoken of, where the message only points to it."""
        query = self.memory.get("last_query") or {}
        if (
            POINTING.search(self.message.text)
            and not self.message.values("department")
            and not self.message.values("doctor")
        ):
            named = {e["entity"] for e in self.message.entities}
            for name in ("department", "doctor", "date", "period"):
                if name not in named and name in query.get("facts", {}) and name not in self.facts:
                    self.facts[name] = query["facts"][name]

    def proceed(self) -> None:
        """Go on with the open task and the patient's answer; with the one set aside when it is that one's."""
        if self.resume and self.suspended:
            self.task = self.suspended.pop()
        if not self.absorb(answer=True):
            self.miss()
            return
        self.task["misses"] = 0
        self.run()

    def run(self) -> None:
        """Run the open flow until it waits or ends, then come back to what was set aside."""
        task = self.task
        kind = FLOWS[task["name"]]
        try:
            kind.run(self)
        except Waiting:
            if kind.question and self.suspended:
                self.say("utter_then_on", title=FLOWS[self.suspended[-1]["name"]].title)
            if self._kept and task["name"] not in OFFERS:
                self.say("utter_second_noted", said="、".join(one["text"] for one in self._kept))
            return
        except Ended:
            pass
        if self.task is task:
            self.task = None
            self.come_back(after=kind)

    def come_back(self, after: Flow | None = None) -> None:
        """Offer what is still open: first the second request of a message, then a task set aside."""
        self.say_asides()
        if self.later:
            name = self.later[0]["label"].partition("/")[0]
            self.open_offer("later", FLOWS[name].title if name in FLOWS else "")
        elif self.suspended and (after is None or after.question):
            self.task = self.suspended.pop()
            self._resumed = True
            self.say("utter_back_to_task", title=FLOWS[self.task["name"]].title)
            self.run()
        elif self.suspended:
            self.open_offer("resume", FLOWS[self.suspended[-1]["name"]].title)

    def open_offer(self, name: str, title: str) -> None:
        self.task = {"name": name, "facts": {"title": title}, "asked": None, "options": [], "asks": 0, "order": []}
        self.run()

    def miss(self) -> None:
        """The answer could not be read: ask again in other words, then offer a person (R33)."""
        self.task["misses"] = self.task.get("misses", 0) + 1
        if self.task["misses"] >= 2:
            from actions import human

            self.say("utter_answer_missed_twice", [human.HUMAN])
            if self.holder == "bot" and is_open("agents", self.now):
                human.request_human(self, human.MISSED)
        else:
            self.say("utter_answer_missed")
        self.again()

    def again(self) -> None:
        """Ask the present question again."""
        self._resumed = True
        self.run()

    def back(self) -> bool:
        """Forget the last answer and ask for it again; False when there is none."""
        order = self.task.get("order", []) if self.task else []
        answered = [name for name in order if name in self.facts]
        if not answered:
            return False
        last = answered[-1]
        self.task["order"] = order[: order.index(last)]
        self.forget(last)
        self.run()
        return True

    def absorb(self, answer: bool) -> bool:
        """Take up every fact that the message holds; tell whether the open question got its answer or a fact changed."""
        asked, options = self.task.get("asked"), self.task.get("options") or []
        found = reading.facts_of(self.message)
        for name in SECRET:
            if name in found:
                from actions import identity

                found[name] = identity.note(self, name, found[name])
                if name != "code" and name in self.facts:  # corrected: the code sent before is for the old number
                    self.forget("code", "code_sent")
        changed = False
        if answer and asked and asked not in found:
            value = reading.answer(asked, options, self.message, FLOWS[self.task["name"]].free_text)
            if value is not None:
                if asked in SECRET:
                    from actions import identity

                    value = identity.note(self, asked, value)
                found[asked] = value
                changed = True
        for name, value in found.items():
            if self.facts.get(name) != value:
                self.set(name, value)
                changed = True
        if answer and asked in found:
            changed = True
        return changed

    def remember_choices(self, options: Sequence[dict]) -> None:
        """Let 第二个 choose from what was just shown, without an open question. `options` are title and payload."""
        self.memory["choices"] = [{"title": o["title"], "value": o["payload"]} for o in options]

    def slots(self) -> dict:
        """Give the state to be kept."""
        return {"task": self.task, "suspended": self.suspended, "later": self.later, "memory": self.memory}
