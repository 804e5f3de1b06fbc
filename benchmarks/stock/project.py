"""Write a Rasa project with the usual Chinese pipeline and the examples and answers of nlu_data/."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from bot.hospital.facts import answer_facts

RETRIEVAL = ("faq", "chitchat", "complaint")
ACTION = "action_query_schedule"
VERSION = "3.1"


def write_project(folder: Path, nlu_data: Path, entities: list[str], epochs: int) -> str:
    """Write config, domain, rules and examples below `folder`; give a hash that changes with any of them."""
    nlu, responses = [], {}
    for part in _topics(nlu_data):
        nlu += part.get("nlu") or []
        responses.update(_answers(part.get("responses") or {}))
    labels = {item["intent"] for item in nlu if "intent" in item}
    for label in sorted(labels):
        if label.partition("/")[0] in RETRIEVAL and "/" in label:
            responses.setdefault(f"utter_{label}", [{"text": f"已收到您关于{label}的留言。"}])
    responses["utter_default"] = [{"text": "抱歉，我没有理解您的意思，请您换个说法，好吗？"}]
    files = {
        "config.yml": _config(epochs),
        "domain.yml": {
            "version": VERSION,
            "intents": sorted({label.partition("/")[0] for label in labels} | {"nlu_fallback"}),
            "entities": entities,
            "actions": [ACTION],
            "responses": responses,
            "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
        },
        "data/nlu.yml": {"version": VERSION, "nlu": nlu},
        "data/rules.yml": {"version": VERSION, "rules": _rules()},
    }
    digest = hashlib.sha256()
    for name, content in files.items():
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        digest.update(text.encode())
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return digest.hexdigest()[:16]


def write_endpoints(folder: Path, action_port: int, database: Path) -> None:
    """Write endpoints.yml (action server, SQLite tracker store) and credentials.yml (REST)."""
    endpoints = {
        "action_endpoint": {"url": f"http://127.0.0.1:{action_port}/webhook"},
        "tracker_store": {"type": "SQL", "dialect": "sqlite", "db": str(database)},
    }
    (folder / "endpoints.yml").write_text(json.dumps(endpoints))
    (folder / "credentials.yml").write_text(json.dumps({"rest": {}}))


def _topics(nlu_data: Path) -> Iterator[dict]:
    for path in sorted(nlu_data.rglob("*.yml")):
        yield yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _answers(responses: dict) -> dict:
    """Give the answers of retrieval intents with the hospital's facts in place of their names."""
    facts = answer_facts()

    def filled(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: str(facts.get(found[1], found[1])), text)

    kept = {}
    for name, variations in responses.items():
        intent, _, key = name.removeprefix("utter_").partition("/")
        if intent in RETRIEVAL and key:
            kept[name] = [{"text": filled(v["text"])} for v in variations]
    return kept


def _rules() -> list[dict]:
    steps = {
        **{intent: f"utter_{intent}" for intent in RETRIEVAL},
        "query_schedule": ACTION,
        "nlu_fallback": "utter_default",
    }
    return [{"rule": i, "steps": [{"intent": i}, {"action": action}]} for i, action in steps.items()]


def _config(epochs: int) -> dict:
    return {
        "recipe": "default.v1",
        "language": "zh",
        "assistant_id": "stock",
        "pipeline": [
            {"name": "JiebaTokenizer"},
            {"name": "RegexFeaturizer"},
            {"name": "LexicalSyntacticFeaturizer"},
            {"name": "CountVectorsFeaturizer"},
            {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
            {"name": "DIETClassifier", "epochs": epochs, "constrain_similarities": True},
            {"name": "EntitySynonymMapper"},
            {"name": "ResponseSelector", "epochs": epochs, "constrain_similarities": True},
            {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
        ],
        "policies": [{"name": "RulePolicy"}],
    }
