"""The patients' scripts, written before the flows by a hand that saw only README and domain facts.

First run on 2026-11-21: 121 of 217 passed (fees and insurance had no wordings yet); 217 on 2026-11-22. OPEN names the scripts that do not pass
yet, each with its reason; a script that starts to pass turns the run red until it leaves the list.
"""

import asyncio

import pytest

from tests.conversations.runner import play, scripts

OPEN: dict[str, str] = {}
ALL = scripts()


def _when(script: dict) -> str | None:
    now = script.get("now")
    return now.isoformat() if hasattr(now, "isoformat") else now


def _case(script: dict):
    name = f"{script['file']}/{script['name']}"
    marks = [pytest.mark.xfail(reason=OPEN[name], strict=True)] if name in OPEN else []
    return pytest.param(script, id=name, marks=marks)


@pytest.mark.parametrize("script", [_case(s) for s in ALL])
def test_a_patient_gets_what_the_script_says(script, stage, terminal):
    stage.set(_when(script))
    try:
        played = asyncio.run(play(script, terminal, "patient"))
    finally:
        stage.end()
    assert not played.faults, "\n".join([*played.talk, "", *played.faults])


def test_at_least_sixty_scripts_stand():
    assert len(ALL) >= 60
    assert len({f"{s['file']}/{s['name']}" for s in ALL}) == len(ALL)
