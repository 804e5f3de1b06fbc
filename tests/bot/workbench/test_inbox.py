"""Real messages: what teaches most first, duplicates folded, names and numbers hidden; labelled, taken back, skipped."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.clock import now
from bot.conversations import inbound, transcript
from bot.conversations.tables import episodes, inbox, ratings
from bot.conversations.transcript import Line
from bot.patients.tables import audit
from bot.storage.engine import reading, writing
from bot.web.errors import Refused
from bot.workbench import files, history, service
from bot.workbench.project import Stale


class Talk:
    """A talk as the worker leaves it: each message with the line that answered it."""

    def __init__(self) -> None:
        self.id = inbound.open_conversation("web", secrets.token_hex(8), now())

    def says(self, text: str, intent: str = "", confidence: float = 0.9, **meta) -> "Talk":
        seq = inbound.accept_text(self.id, secrets.token_hex(8), text, now()).seq
        with writing() as conn:
            turn = f"{self.id}:{seq}"
            mine = (inbox.c.conversation_id == self.id, inbox.c.seq == seq)
            conn.execute(update(inbox).where(*mine).values(state="done", turn=turn))
            if intent:
                line = Line("bot", "答", meta={"turn": turn, "intent": intent, "confidence": confidence, **meta})
                transcript.append(conn, self.id, [line], now())
        return self


def page(**given) -> dict:
    asked = {"state": "open", "days": 30, "reason": "", "label": "", "words": "", "start": 0, **given}
    return service.inbox_page(**asked)


def test_what_went_wrong_comes_first_and_equal_messages_are_one(trainer, project):
    Talk().says("我要预订一间带窗的房", "book_appointment", 0.93)
    Talk().says("请问轮胎放哪儿？", "nlu_fallback", 0.2)
    Talk().says("請問輪胎放哪兒", "nlu_fallback", 0.22)
    Talk().says("拿药的那个地方几点关灯", "faq/outpatient_hours", 0.6).says("不是这个意思", "deny", 0.9)
    Talk().says("这单子咋弄", "query_bill", 0.4).says("转人工", "request_human", 0.99)
    found = page()
    shown = [(each["text"], each["times"]) for each in found["messages"]]
    assert shown[:3] == [("这单子咋弄", 1), ("請問輪胎放哪兒", 2), ("拿药的那个地方几点关灯", 1)]
    reasons = {each["text"]: each["reasons"] for each in found["messages"]}
    assert reasons["拿药的那个地方几点关灯"] == ["denied", "doubt"]
    assert reasons["这单子咋弄"] == ["unsure", "handed"]
    assert reasons["我要预订一间带窗的房"] == []
    assert "转人工" not in reasons
    assert found["counts"]["fallback"] == 1 and page(reason="fallback")["total"] == 1
    assert page(words="轮胎")["total"] == 1 and page(label="query_bill")["total"] == 1


def test_hand_over_and_a_low_rating_soon_after_count(trainer, project):
    talk = Talk().says("我这情况到底怎么算", "estimate_reimbursement", 0.95)
    values = dict(conversation_id=talk.id, reason="患者要求人工", priority=0, queued_at=now() + timedelta(minutes=1))
    rating = dict(kind="episode", ref=1, conversation_id=talk.id, asked_at=now() + timedelta(minutes=9), score=1)
    with writing() as conn:
        conn.execute(insert(episodes).values(**values))
        conn.execute(insert(ratings).values(**rating))
    assert page()["messages"][0]["reasons"] == ["handed", "rated"]


def test_a_tap_on_not_helpful_counts_as_words_that_say_so(trainer, project):
    talk = Talk().says("那个带轮的搁哪儿", "faq/wheelchair", 0.95)
    turn = {"turn": f"{talk.id}:1", "intent": "faq/wheelchair", "confidence": 0.95}
    with writing() as conn:
        transcript.append(conn, talk.id, [Line("bot", "第二行", meta=turn)], now())
        assert transcript.note_unhelpful(conn, talk.id, 3, now())
    assert page()["messages"][0]["reasons"] == ["denied"] and page(reason="denied")["total"] == 1


def test_numbers_and_names_never_reach_the_trainer(trainer, project):
    talk = Talk().says("我叫王建国，电话13800000001，身份证110101199003070015", "inform", 0.5)
    shown = page()["messages"][0]
    around = service.context(trainer, talk.id, shown["seq"])["lines"]
    for text in (shown["text"], *(line["text"] for line in around)):
        assert "王建国" not in text and "13800000001" not in text and "199003070015" not in text
    with reading() as conn:
        assert "workbench_read" in conn.execute(select(audit.c.action)).scalars().all()


def test_a_labelled_message_is_one_line_a_commit_in_the_trainers_name_and_can_be_taken_back(trainer, project):
    Talk().says("𠮷田的铁盒子😀明天停哪", "nlu_fallback", 0.2)
    message = page()["messages"][0]
    spans = [{"start": 7, "end": 9, "entity": "date"}]
    before = (project.data / "faq/nlu.yml").read_text()
    line = {"key": message["key"], "text": message["text"], "label": "faq/parking", "spans": spans}
    saved = service.save(trainer, [line])
    assert page()["total"] == 0 and page(state="labelled")["messages"][0]["label"] == "faq/parking"
    last = history.log(project)[0]
    assert (last.sha[:7], last.author) == (saved["commit"][:7], "周训练") and "停车" in last.title
    shown = [each for each in history.diff(project, last.sha).split("\n") if each[:1] in "+-" and each[1:2] not in "+-"]
    assert [each for each in shown if each] == ["+    - 𠮷田的铁盒子😀[明天](date)停哪"]
    service.undo(trainer)
    assert (project.data / "faq/nlu.yml").read_text() == before and page()["total"] == 1
    with pytest.raises(Refused):
        service.undo(trainer)


def test_a_conflict_stops_all_lines_of_a_press(trainer, project):
    known = next(each for each in files.examples(project) if each.label == "greet" and "[" not in each.text)
    lines = [{"text": "一句全新的话放这儿", "label": "faq/wifi"}, {"text": known.text, "label": "faq/wifi"}]
    before = len(files.examples(project))
    with pytest.raises(Refused) as refused:
        service.save(trainer, lines)
    assert refused.value.status == 409 and len(files.examples(project)) == before


def test_skipped_messages_are_out_of_the_way_until_taken_back(trainer, project):
    Talk().says("嗯呐那个啥", "nlu_fallback", 0.1)
    service.skip(trainer, [page()["messages"][0]["key"]])
    assert page()["total"] == 0 and page(state="skipped")["total"] == 1
    assert service.undo(trainer)["undone"] == "skipped"
    assert page()["total"] == 1


def test_an_example_is_changed_moved_and_taken_out_where_it_stands(trainer, project):
    example = next(each for each in files.examples(project) if each.label == "faq/wifi" and "[" not in each.text)
    place = (example.file, example.label, example.text)
    service.change_example(trainer, *place, "faq/wifi", "连无线网要输什么码", [])
    with pytest.raises(Stale):
        service.change_example(trainer, *place, "faq/wifi", "再改一次", [])
    moved = (example.file, "faq/wifi", "连无线网要输什么码")
    service.change_example(trainer, *moved, "faq/parking", "连无线网要输什么码", [])
    assert service.examples_of("faq/parking", "连无线网", 0)["total"] == 1
    service.change_example(trainer, example.file, "faq/parking", "连无线网要输什么码", "faq/parking", "", [])
    assert service.examples_of("", "连无线网要输什么码", 0)["total"] == 0


def test_words_to_click_cover_the_text_and_keep_the_hospitals_words_whole(trainer, project):
    found = service.cut("我妈想挂明天心内科的专家号")
    words = [found["text"][start:end] for start, end in found["words"]]
    assert "".join(words) == found["text"] and {"我妈", "明天", "心内科", "专家号"} <= set(words)
    assert {(each["start"], each["entity"]) for each in found["usual"]} >= {
        (0, "relation"),
        (4, "date"),
        (6, "department"),
    }
    assert "book_appointment" in found["near"]
