"""Kill -9 of web process and worker while patients write on WeChat: nothing acknowledged is lost (the full run: benchmarks/wechat.py)."""

from benchmarks import wechat
from tests.proofs.apart import run_apart

USERS, ROUNDS = 12, 5
KILLS = {1: ("web",), 2: ("worker-0",), 3: ("web", "worker-0")}


def test_nothing_that_was_acknowledged_is_lost_and_what_doubles_is_counted(migrated, tmp_path):
    figures = run_apart(wechat.run(tmp_path, migrated("sqlite"), USERS, ROUNDS, 0.2, KILLS, pause=0.6))
    assert figures.lost == 0
    assert figures.acknowledged + figures.refused == USERS * ROUNDS
    assert figures.acknowledged >= USERS * ROUNDS // 2
    # Only the parcels in flight at a death may double, at most one for each send under way; the outbox counts them.
    assert figures.doubled <= figures.resent * ROUNDS
