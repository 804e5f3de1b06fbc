"""Rasa's graph components of ours. Each is a thin wrapper: what it knows stands in the module named in its docstring.

Rasa checks parameter names and annotations against its graph, so they are spelled as Rasa's own are.
"""
# ruff: noqa: UP006, UP035

import json
import logging
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Type

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.encoder import CachedEncoder, load_encoder
from bot.nlu.files import content_hash
from bot.nlu.head import HeadSettings, IntentHead
from bot.nlu.intents import FALLBACK, base_of, intent_fields
from bot.nlu.lexicon import Lexicon
from bot.nlu.line import Line, read_line
from bot.nlu.merge import merged
from bot.nlu.patterns import IDENTIFIERS
from bot.nlu.tagger import CharTagger, Span
from bot.nlu.words import dictionary, lexicon_hash, lexicons

log = logging.getLogger(__name__)
LINE = "zh_line"
FULL_RANKING = "full_ranking"
LABEL = "full_label"  # the label of FULL_RANKING that counts, FALLBACK below the threshold
_Type = DefaultV1Recipe.ComponentType


def code_hash() -> str:
    """Give the hash of this room's code: changed code is trained again (Rasa only looks at the configuration)."""
    here = Path(__file__).parent
    return content_hash([*here.glob("*.py"), here.parent / "language" / "normalise.py"])


def line_of(message: Message) -> Line:
    """Give the line that the tokenizer has put into a message."""
    line = message.get(LINE)
    return line if isinstance(line, Line) else read_line(message.get(TEXT) or "", None)


@DefaultV1Recipe.register(_Type.MESSAGE_TOKENIZER, is_trainable=False)
class ZhTokenizer(Tokenizer):
    """Normalises a text and cuts it into jieba's words; tokens keep the offsets as typed (line.py, characters.py)."""

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Give Rasa's own tokenizer settings; none is used for Chinese."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> str | None:
        """Give what else a training depends on: the words and the code."""
        return lexicon_hash() + code_hash()

    def tokenize(self, message: Message, attribute: str) -> List[Token]:
        """Give the words of an attribute; the text's line stays on the message for the components that follow."""
        line = read_line(message.get(attribute) or "", None)
        if attribute == TEXT:
            message.set(LINE, line)
        tokens = []
        for start, end in line.words:
            left, right = line.normal.as_typed(start, end)
            tokens.append(Token(line.typed[left:right], left, right, lemma=line.text[start:end]))
        return tokens


@DefaultV1Recipe.register(_Type.MESSAGE_FEATURIZER, is_trainable=True)
class SpacyLexicon(GraphComponent):
    """Finds the hospital's words in a line (lexicon.py); the words are kept in the model."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, lexicon: Lexicon | None = None) -> None:
        self._model_storage, self._resource, self._lexicon = model_storage, resource, lexicon

    @classmethod
    def required_components(cls) -> List[Type]:
        """The tokenizer comes first."""
        return [ZhTokenizer]

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> str | None:
        """Give what else a training depends on: the words and the code."""
        return lexicon_hash() + code_hash()

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> GraphComponent:
        """Make an untrained component."""
        return cls(model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the words of today in the model."""
        words = lexicons()
        self._lexicon = Lexicon(words)
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "lexicon.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> GraphComponent:
        """Load the words that the model was trained with."""
        with model_storage.read_from(resource) as folder:
            words = json.loads((folder / "lexicon.json").read_text(encoding="utf-8"))
        return cls(model_storage, resource, Lexicon(words))

    def process(self, messages: List[Message]) -> List[Message]:
        """Let each line find its known words."""
        for message in messages:
            line_of(message).lexicon = self._lexicon
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Do the same for training lines."""
        self.process([message for message in training_data.training_examples if message.get(TEXT)])
        return training_data


@DefaultV1Recipe.register(_Type.INTENT_CLASSIFIER, is_trainable=True)
class RobustIntentClassifier(GraphComponent, IntentClassifier):
    """Intent by one linear head over full labels (head.py), in the fields that Rasa's dialogue expects (intents.py)."""

    def __init__(
        self, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource, head: IntentHead | None = None
    ) -> None:
        self._config, self._model_storage, self._resource, self._head = config, model_storage, resource, head
        self._encoder = load_encoder()
        if head is not None and head.encoder_name != self._encoder.name:
            log.warning("intents were trained with %s, now %s reads", head.encoder_name, self._encoder.name)

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Give the settings of the head and the confidence below which the desk asks back."""
        return {**vars(HeadSettings()), "threshold": 0.3}

    @classmethod
    def required_components(cls) -> List[Type]:
        """The tokenizer and the lexicon come first."""
        return [ZhTokenizer, SpacyLexicon]

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> str | None:
        """Give what else a training depends on: the words, the code and the encoder."""
        return lexicon_hash() + code_hash() + load_encoder().name

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> GraphComponent:
        """Make an untrained component."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the head to all lines that have an intent."""
        messages = [message for message in training_data.intent_examples if message.get(TEXT)]
        labels = [message.get_full_intent() for message in messages]
        settings = HeadSettings(**{name: self._config[name] for name in vars(HeadSettings())})
        lines = [line_of(message) for message in messages]
        self._head = IntentHead.train(lines, labels, CachedEncoder(self._encoder), dictionary(), settings)
        with self._model_storage.write_to(self._resource) as folder:
            self._head.save(folder)
        return self._resource

    @property
    def threshold(self) -> float:
        """The confidence below which the desk asks back."""
        return self._config["threshold"]

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> GraphComponent:
        """Load the trained head."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, IntentHead.load(folder))

    def process(self, messages: List[Message]) -> List[Message]:
        """Set intent, ranking, response selector and the ranking over full labels."""
        for message in messages:
            ranking = self._head.rank(line_of(message), self._encoder) if self._head else [(FALLBACK, 1.0)]
            label = ranking[0][0] if ranking[0][1] >= self.threshold else FALLBACK
            fields = intent_fields(label, ranking)
            message.set(INTENT, fields["intent"], add_to_output=True)
            message.set(INTENT_RANKING_KEY, fields["intent_ranking"], add_to_output=True)
            message.set("response_selector", fields["response_selector"], add_to_output=True)
            message.set(FULL_RANKING, ranking, add_to_output=True)
            message.set(LABEL, label)
        return messages


@DefaultV1Recipe.register(_Type.ENTITY_EXTRACTOR, is_trainable=True)
class ZhCharCrf(GraphComponent, EntityExtractorMixin):
    """Entities by character (tagger.py), with numbers by form and words of closed kinds beside it (merge.py).

    It comes after the intent, which the tagger looks at: the label given in training, the surest one in reading.
    """

    def __init__(
        self, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource, tagger: CharTagger | None = None
    ) -> None:
        self._config, self._model_storage, self._resource, self._tagger = config, model_storage, resource, tagger

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Give the settings: rounds over the lines, and kinds whose known words count where the field found nothing."""
        return {"iterations": 15, "closed": []}

    @classmethod
    def required_components(cls) -> List[Type]:
        """The tokenizer and the lexicon come first; Rasa cannot be told that of the intent, so config.yml says it."""
        return [ZhTokenizer, SpacyLexicon]

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> str | None:
        """Give what else a training depends on: the words and the code."""
        return lexicon_hash() + code_hash()

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> GraphComponent:
        """Make an untrained component."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit the field to all lines, those without entities too: they teach what is none."""
        lines, intents, spans = [], [], []
        for message in training_data.nlu_examples:
            line = line_of(message)
            lines.append(line)
            intents.append(message.get(INTENT) or "")
            spans.append(annotated(line, message.get(ENTITIES) or []))
        if any(spans):
            with self._model_storage.write_to(self._resource) as folder, tempfile.TemporaryDirectory() as scratch:
                path = Path(scratch) / "entities.crfsuite"
                CharTagger.train(lines, intents, spans, path, self._config["iterations"])
                (folder / path.name).write_bytes(path.read_bytes())
                self._tagger = CharTagger(path)
        return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> GraphComponent:
        """Load the field; a model trained on lines without any entity has none."""
        try:
            with model_storage.read_from(resource) as folder:
                tagger = CharTagger(folder / "entities.crfsuite")
        except ValueError:
            log.warning("the model has no entity field: its training lines had no entities")
            tagger = None
        return cls(config, model_storage, resource, tagger)

    def process(self, messages: List[Message]) -> List[Message]:
        """Put the entities of each line, offsets as typed, beside those already there."""
        for message in messages:
            line = line_of(message)
            ranking = message.get(FULL_RANKING) or [("", 0.0)]
            found = self._tagger.read(line, base_of(ranking[0][0])) if self._tagger else []
            entities = []
            for span, source in merged(line, found, self._config["closed"]):
                start, end = line.normal.as_typed(span.start, span.end)
                entities.append(
                    {
                        "entity": span.entity,
                        "start": start,
                        "end": end,
                        "confidence_entity": span.confidence,
                        "value": line.typed[start:end],
                        "extractor": type(self).__name__,
                        "source": source,
                    }
                )
            message.set(ENTITIES, [*(message.get(ENTITIES) or []), *entities], add_to_output=True)
        return messages


def annotated(line: Line, entities: List[Dict[str, Any]]) -> List[Span]:
    """Give a training line's entities in normalised places; numbers that identify are left to their form."""
    spans = []
    for entity in entities:
        if entity["entity"] not in IDENTIFIERS:
            spans.append(Span(entity["entity"], *line.normal.normalised(entity["start"], entity["end"])))
    return [span for span in spans if span.start < span.end]
