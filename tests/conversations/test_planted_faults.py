"""Five faults planted in the product turn the scripts red: the scripts can see what matters."""

import asyncio

import pytest
from sqlalchemy import insert

from bot.conversations import inbound
from bot.dialogue import outgoing
from bot.patients.tables import links, patients
from bot.storage.engine import writing
from tests.conversations.runner import play, scripts

BY_NAME = {f"{s['file']}/{s['name']}": s for s in scripts()}


def no_danger_signs(monkeypatch):
    monkeypatch.setattr(inbound, "scan", lambda text: None)


def no_rule_against_duplicates(monkeypatch):
    from bot.appointments import service

    monkeypatch.setattr(service, "check_patient", lambda *_, **__: None)


def everybody_is_believed(monkeypatch):
    from actions import identity

    def believe(talk, purpose):
        with writing() as conn:
            row = insert(patients).values(name="某人", created_at=talk.now)
            patient = conn.execute(row).inserted_primary_key[0]
            link = dict(
                conversation_id=talk.id,
                patient_id=patient,
                verified_at=talk.now,
                expires_at=talk.now.replace(year=2099),
            )
            conn.execute(insert(links).values(relation="", **link))
        return patient

    monkeypatch.setattr(identity, "_check", believe)


def traditional_is_answered_in_simplified(monkeypatch):
    monkeypatch.setattr(outgoing, "to_traditional", lambda text, keep=(): text)


def complaints_are_not_filed(monkeypatch):
    from bot.tickets import service

    monkeypatch.setattr(service, "confirm", lambda conn, ticket_id, *_, **__: service.get(conn, ticket_id))


FAULTS = {
    no_danger_signs: "danger/{danger}",
    no_rule_against_duplicates: "appointments/同一天同一科挂第二次",
    everybody_is_believed: "appointments/挂号一句话说全",
    traditional_is_answered_in_simplified: "language/繁体预约",
    complaints_are_not_filed: "complaints/护士态度差",
}


def faults_of(name: str, stage, terminal) -> list[str]:
    stage.set()
    try:
        return asyncio.run(play(BY_NAME[name], terminal, "patient")).faults
    finally:
        stage.end()


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_turns_its_script_red(plant, stage, terminal, monkeypatch):
    first_danger = next(
        s["name"] for s in BY_NAME.values() if s["file"] == "danger" and "danger" in (s.get("ends_with") or {})
    )
    name = FAULTS[plant].format(danger=first_danger)
    assert not faults_of(name, stage, terminal), "the script must be green before the fault is planted"
    plant(monkeypatch)
    assert faults_of(name, stage, terminal)
