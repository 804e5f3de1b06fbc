"""Read a patient's message: label, confidence, entities with values, danger. The dialogue's one door to the NLU."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")

from rasa.engine.graph import GraphNode
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.components import FULL_RANKING, LABEL, RobustIntentClassifier
from bot.nlu.intents import intent_fields
from bot.nlu.sentences import merged_ranking, pieces
from bot.nlu.values import entity_value
from bot.safety import signs

_STAGE = re.compile(r"(\d+)$")
_WARM_UP = ("您好，我想挂明天上午心内科的专家号", "預約住愿费用３.2w能报多少")


@dataclass(frozen=True)
class Entity:
    """What was named: [start, end) and text as typed; value as in docs/nlu-guideline.md, None where unknown."""

    entity: str
    start: int
    end: int
    text: str
    value: str | int | None
    confidence: float


@dataclass(frozen=True)
class Part:
    """One piece of a long message and its own first label."""

    start: int
    end: int
    label: str
    confidence: float


@dataclass(frozen=True)
class Reading:
    """A message as understood.

    label: the full label (faq/parking), FALLBACK below the threshold. ranking: all labels before that decision.
    danger: code of a danger sign; danger_definite: its fixed text is due at once. parts: the pieces of a long message.
    parse_data: what Rasa's `UserMessage(parse_data=...)` takes.
    """

    text: str
    label: str
    confidence: float
    ranking: tuple[tuple[str, float], ...]
    entities: tuple[Entity, ...]
    danger: str | None
    danger_definite: bool
    parts: tuple[Part, ...]
    parse_data: dict[str, Any]


class Reader:
    """A loaded model. It calls the pipeline's components itself, one after the other: Rasa's graph runner costs more
    than all of them together. `/commands` are text here, since what a patient types is never a command."""

    def __init__(self, runner: DaskGraphRunner) -> None:
        self._stages = _stages(runner)
        intents = [stage for stage in self._stages if isinstance(stage, RobustIntentClassifier)]
        self._threshold = intents[0].threshold

    @classmethod
    def load(cls, model: Path) -> "Reader":
        """Load a trained model for reading only, warmed up."""
        with tempfile.TemporaryDirectory() as folder:
            _, runner = load_predict_graph_runner(Path(folder), model, LocalModelStorage, DaskGraphRunner)
        return cls(runner).warmed_up()

    @classmethod
    def of_agent(cls, agent: Any) -> "Reader":
        """Use the components of an Agent that is loaded already, warmed up."""
        return cls(agent.processor.graph_runner).warmed_up()

    def warmed_up(self) -> "Reader":
        """Read two messages, so that no patient waits for dictionaries to load."""
        from bot.clock import UTC

        for text in _WARM_UP:
            self.read(text, datetime(2026, 1, 5, 1, 0, tzinfo=UTC))
        return self

    def read(self, text: str, now: datetime) -> Reading:
        """Give the reading of one message as typed; `now` is when it was received (明天 counts from it).

        A message of more than 80 characters is read in pieces, at most twenty, so that its cost is bounded.
        """
        places = pieces(text)
        messages = [Message({TEXT: text[start:end]}) for start, end in places]
        for stage in self._stages:
            messages = stage.process(messages)
        rankings = [message.get(FULL_RANKING) for message in messages]
        label, ranking, decides = merged_ranking(rankings, self._threshold)
        confidence = rankings[decides][0][1]
        entities = _entities(text, places, messages, now)
        finding = signs.scan(text)
        if finding is not None and finding.definite:
            label, confidence = "emergency", 1.0  # rules go before the model, never the other way round
        parts = ()
        if len(places) > 1:
            parts = tuple(Part(start, end, *first) for (start, end), (first, *_) in zip(places, rankings, strict=True))
        return Reading(
            text=text,
            label=label,
            confidence=confidence,
            ranking=tuple(ranking),
            entities=entities,
            danger=finding.code if finding else None,
            danger_definite=bool(finding and finding.definite),
            parts=parts,
            parse_data=_parse_data(text, label, ranking, entities, places, messages),
        )


def _stages(runner: DaskGraphRunner) -> list[Any]:
    """Give the message components of a loaded graph in the order of the pipeline."""
    nodes: dict[str, GraphNode] = runner._instantiated_nodes
    found = []
    for name, node in nodes.items():
        component, number = node._component, _STAGE.search(name)
        if node._fn_name == "process" and number and not isinstance(component, RegexMessageHandler):
            found.append((int(number.group()), component))
    return [component for _, component in sorted(found, key=lambda pair: pair[0])]


def _entities(
    text: str, places: Sequence[tuple[int, int]], messages: Sequence[Message], now: datetime
) -> tuple[Entity, ...]:
    found = []
    for (shift, _), message in zip(places, messages, strict=True):
        for entity in message.get(ENTITIES) or []:
            start, end = shift + entity["start"], shift + entity["end"]
            kind, words = entity["entity"], text[start:end]
            found.append(Entity(kind, start, end, words, entity_value(kind, words, now), entity["confidence_entity"]))
    return tuple(found)


def _parse_data(
    text: str,
    label: str,
    ranking: Sequence[tuple[str, float]],
    entities: Sequence[Entity],
    places: Sequence[tuple[int, int]],
    messages: Sequence[Message],
) -> dict[str, Any]:
    tokens = [
        (shift + token.start, shift + token.end)
        for (shift, _), message in zip(places, messages, strict=True)
        for token in message.get(TOKENS_NAMES[TEXT]) or []
    ]
    fields = {name: messages[0].get(name) for name in (INTENT, INTENT_RANKING_KEY, "response_selector")}
    if len(messages) > 1 or label != messages[0].get(LABEL):
        fields = intent_fields(label, ranking)
    return {
        "text": text,
        **fields,
        "entities": [{**vars(entity), "extractor": "ZhCharCrf"} for entity in entities],
        "text_tokens": tokens,
        FULL_RANKING: [{"name": name, "confidence": confidence} for name, confidence in ranking],
    }
