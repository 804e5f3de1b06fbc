"""Rasa as a private engine: it reads rules, runs actions in this process and collects replies.

It never sends, stores, locks or schedules. See rasa-runtime notes in docs/architecture.md for each seam used here.
"""

import asyncio
import json
import logging
from pathlib import Path

from bot.nlu.quiet import quiet_rasa  # isort: skip  (before rasa)

import jsonschema
from rasa.core.actions import action as rasa_actions
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.dialogue.replies import ActionFailed, Reply
from bot.hospital.facts import answer_facts

log = logging.getLogger(__name__)
ACTION_SECONDS = 15
SLOTS = ("task", "suspended", "later", "memory")


class _InProcess(EndpointConfig):
    """Runs actions here instead of over HTTP and keeps what they raised, which Rasa would swallow."""

    def __init__(self) -> None:
        super().__init__(url="inprocess://actions", enable_selective_domain=True)
        self.domain: dict = {}  # what actions see of the domain: its responses, handed over once instead of each call
        self.executor = ActionExecutor()
        self.executor.register_package("actions")
        self.failures: dict[str, Exception] = {}

    async def request(self, json=None, **_):  # Rasa's own signature
        try:
            json["domain"] = self.domain
            return await asyncio.wait_for(self.executor.run(json), ACTION_SECONDS)
        except ActionExecutionRejection as error:
            body = _dump({"action_name": error.action_name, "error": error.message})
            raise ClientResponseError(400, "", body) from error
        except Exception as error:
            self.failures[json["sender_id"]] = error
            raise


def _dump(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False)


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


def _patch_validation() -> None:
    """Rasa re-checks a constant schema at every action call: 45 ms a turn. Check it once."""
    schema = rasa_actions.RemoteAction.action_response_format_spec()
    validator = jsonschema.validators.validator_for(schema)(schema)

    def valid(self, result):
        validator.validate(result)
        return True

    rasa_actions.RemoteAction._validate_action_result = valid


class Engine:
    """One loaded model; `handle` runs one turn from plain data to plain data."""

    def __init__(self, model: Path) -> None:
        quiet_rasa()
        _patch_validation()
        self.endpoint = _InProcess()
        self.agent = Agent.load(str(model), action_endpoint=self.endpoint, lock_store=InMemoryLockStore())
        self.processor = self.agent.processor
        self.domain = self.processor.domain
        self.endpoint.domain = {"responses": self.domain.responses}
        self.store = _Memory(self.domain)
        self.processor.tracker_store = self.store
        self.agent.tracker_store = self.store
        self.processor.nlg = _Nlg(self.domain.responses)
        self.processor.max_number_of_predictions = 10

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
            failure = self.endpoint.failures.pop(conversation_id, None)
            if failure is not None:
                raise ActionFailed(type(failure).__name__) from failure
            after = self.store.trackers[conversation_id]
            kept = {name: after.get_slot(name) for name in SLOTS}
        finally:
            self.store.trackers.pop(conversation_id, None)
            self.endpoint.failures.pop(conversation_id, None)
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
