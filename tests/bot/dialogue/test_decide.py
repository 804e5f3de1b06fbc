"""What a message brings of danger, with a reader that is told what to hear."""

from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

import actions.rasa_actions  # noqa: F401  (its import registers the flows)
from bot.dialogue.decide import SURE_OF_DANGER, warning


def heard(label, confidence=0.9):
    ranking = ((label, confidence), ("find_department", 1 - confidence))
    return lambda text, now: SimpleNamespace(
        label=label, confidence=confidence, ranking=ranking, entities=[], danger=None
    )


@pytest.mark.parametrize(
    ("text", "read", "brings"),
    [
        ("我爸胸口疼得直冒汗", heard("find_department"), "alarm"),  # the sign, whatever the label
        ("老人家歪在门口直哼唧", heard("emergency"), "alarm"),  # the label, where the table knows no sign
        ("老人家歪在门口直哼唧", heard("emergency", SURE_OF_DANGER - 0.05), ""),
        ("我现在有点胸闷", heard("find_department"), "notice"),
        ("胸痛中心在哪", heard("faq/department_location"), ""),
    ],
)
def test_the_sign_counts_first_and_a_sure_label_after_it(text, read, brings):
    assert warning(text, read, datetime(2026, 11, 20, tzinfo=timezone.utc)) == brings
