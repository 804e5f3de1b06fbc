"""Numbers may be told again in their own talk, contents only after the check; a sent complaint can be taken back."""

import pytest

from bot.storage.engine import reading, writing
from bot.tickets.tables import tickets
from tests.actions.talker import Writer, house  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("house")


def complained(contact: str = "王建国13800000001") -> Writer:
    """Give somebody whose complaint has just been sent."""
    writer = Writer()
    writer.tell(f"昨天药房等了一个半小时没人，希望增加窗口，{contact}", "complaint/waiting", ("person_name", "王建国"))
    writer.press("确认提交")
    return writer


@pytest.mark.parametrize(
    "question", ["受理编号是多少来着", "多久能给结果", "这个单号怎么查进度", "我忘了编号", "几天答复我"]
)
def test_number_and_deadline_are_told_again_without_a_check(question):
    writer = complained()
    replies = writer.tell(question, "track_ticket")
    assert writer.tickets()[0].number in replies.text
    assert "12月8日周二17:30前答复" in replies.text
    assert "药房" not in replies.text
    assert writer.waits_for is None


def test_how_far_it_is_has_the_number_at_once_and_the_rest_after_the_check():
    writer = complained()
    replies = writer.tell("我的投诉处理得怎么样了", "track_ticket")
    assert replies.names == ["utter_ticket_number", "utter_ask_consent"]
    assert "已登记" not in replies.text


def test_who_asks_about_anothers_ticket_is_checked_first():
    writer = complained()
    replies = writer.tell("TS20260101-0099处理得怎么样了", "track_ticket", ("ticket_id", "TS20260101-0099"))
    assert replies.names == ["utter_ask_consent"]


def test_nothing_told_here_is_looked_up_after_the_check():
    assert Writer().tell("受理编号是多少来着", "track_ticket").names == ["utter_ask_consent"]


def test_the_writer_of_an_anonymous_complaint_is_not_asked_who_he_is():
    writer = complained("匿名")
    replies = writer.tell("处理得怎么样了", "track_ticket")
    assert "已登记，等待处理" in replies.text
    assert writer.waits_for is None


def test_taking_a_sent_complaint_back_is_read_back_confirmed_and_receipted():
    writer = complained()
    number = writer.tickets()[0].number
    replies = writer.tell("撤销投诉", "complaint/other")
    assert replies.names == ["utter_confirm_withdraw"]
    assert number in replies.text
    assert [t.state for t in writer.tickets()] == ["confirmed"]
    replies = writer.press("确认撤回")
    assert "已经撤回" in replies.text
    assert [t.state for t in writer.tickets()] == ["withdrawn"]
    assert "complained" not in writer.memory
    with reading() as conn:
        lines = conn.exec_driver_sql("SELECT text FROM lines WHERE sender = 'system'").scalars().all()
    assert len(lines) == 2  # the complaint's receipt and the withdrawal's


@pytest.mark.parametrize("label", ["complaint/other", "track_ticket", "privacy_request"])
def test_a_withdrawal_is_heard_whatever_the_label(label):
    assert complained().tell("撤回投诉", label).names == ["utter_confirm_withdraw"]


def test_a_complaint_that_is_kept_goes_on():
    writer = complained()
    writer.tell("不投诉了", "complaint/other")
    assert "继续办理" in writer.press("继续处理").text
    assert [t.state for t in writer.tickets()] == ["confirmed"]


def test_a_withdrawal_that_lives_twice_says_the_same():
    writer = complained()
    writer.tell("撤销投诉", "complaint/other")
    first = writer.press("确认撤回").text
    assert writer.again().text == first


def test_an_answered_complaint_is_not_taken_back():
    writer = complained()
    writer.tell("撤销投诉", "complaint/other")
    with writing() as conn:
        conn.execute(tickets.update().values(state="answered"))
    assert "已经有了处理结果" in writer.press("确认撤回").text
    assert [t.state for t in writer.tickets()] == ["answered"]


def test_one_of_several_complaints_is_chosen():
    writer = complained()
    writer.tell("昨天骨科护士骂人，希望道歉，匿名", "complaint/attitude", ("department", "骨科"))
    writer.press("确认提交")
    replies = writer.tell("撤销投诉", "complaint/other")
    assert replies.names == ["utter_ask_withdraw"]
    replies = writer.press(next(title for title in replies.titles if "服务态度" in title))
    assert "服务态度" in replies.text
    writer.press("确认撤回")
    assert {t.type: t.state for t in writer.tickets()} == {"waiting": "confirmed", "attitude": "withdrawn"}
