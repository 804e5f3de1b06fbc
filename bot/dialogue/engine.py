"""Rasa as a private engine: it reads rules, runs actions in this process and collects replies.

It never sends, stores, locks or schedules. See rasa-runtime notes in docs/architecture.md for each seam used here.
"""

from pathlib import Path

from bot.nlu.quiet import quiet_rasa  # isort: skip  (before rasa)

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.processor import ActionsHere, Processor
from bot.dialogue.replies import ActionFailed, Reply
from bot.hospital.facts import answer_facts
from bot.nlu.answers import read_answers

SLOTS = ("task", "suspended", "later", "memory")


class _Memory(TrackerStore):
    """Holds trackers only while a turn runs; what lasts is the JSON column of the conversation."""

    def __init__(self, domain) -> None:
        super().__init__(domain)
        self.trackers: dict[str, DialogueStateTracker] = {}

    async def save(self, tracker: DialogueStateTracker) -> None:
        self.trackers[tracker.sender_id] = tracker

    async def retrieve(self, sender_id: str):
        return self.trackers.get(sender_id)

    async def keys(self):
        return list(self.trackers)


class _Nlg(TemplatedNaturalLanguageGenerator):
    """Rasa's templates with the hospital's facts as further variables ({phone_desk}, {address} …)."""

    def __init__(self, responses) -> None:
        super().__init__(responses)
        self.facts = answer_facts()

    def _response_variables(self, filled_slots, kwargs):
        return {**self.facts, **kwargs}


class Engine:
    """One loaded model; `handle` runs one turn from plain data to plain data."""

    def __init__(self, model: Path) -> None:
        quiet_rasa()
        self.store = _Memory(None)
        self.actions = ActionsHere()
        self.processor = Processor(model, self.store, InMemoryLockStore(), _Nlg({}), self.actions)
        self.domain = self.store.domain = self.processor.domain
        self.domain.responses.update(read_answers())
        self.processor.nlg.responses = self.actions.domain["responses"] = self.domain.responses

    def words(self, response: str) -> str:
        """Give the text of a response outside a turn, with the hospital's facts filled in."""
        text = self.domain.responses[response][0]["text"]
        for name, value in self.processor.nlg.facts.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    async def handle(self, conversation_id: str, state: dict | None, parse_data: dict, metadata: dict):
        """Run a turn. Gives (replies, new state); no replies means that the turn failed. Raises ActionFailed."""
        slots = dict((state or {}).get("slots") or {})
        tracker = DialogueStateTracker(conversation_id, self.domain.slots)
        for event in [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]:
            tracker.update(event, self.domain)
        for name in SLOTS:
            if slots.get(name) is not None:
                tracker.update(SlotSet(name, slots[name]), self.domain)
        self.store.trackers[conversation_id] = tracker
        channel = CollectingOutputChannel()
        message = UserMessage(
            text=parse_data["text"],
            output_channel=channel,
            sender_id=conversation_id,
            parse_data=parse_data,
            metadata=metadata,
            input_channel="daoyi",
        )
        try:
            await self.processor.handle_message(message)
            failure = self.actions.failures.pop(conversation_id, None)
            if failure is not None:
                raise ActionFailed(type(failure).__name__) from failure
            after = self.store.trackers[conversation_id]
            kept = {name: after.get_slot(name) for name in SLOTS}
        finally:
            self.store.trackers.pop(conversation_id, None)
            self.actions.failures.pop(conversation_id, None)
        return _replies(channel.messages), {"slots": kept}


def _replies(messages: list[dict]) -> list[Reply]:
    """Join what Rasa sends in pieces: an image belongs to the text before it."""
    replies: list[Reply] = []
    for message in messages:
        if message.get("image") and not message.get("text") and replies:
            replies[-1].image = message["image"]
        elif message.get("text") or message.get("image"):
            replies.append(Reply(message.get("text") or "", message.get("buttons") or [], message.get("image")))
    return replies
