"""A complaint keeps what is complaint, hears what is not, and ends when the patient ends it (R49, R63-R67, B4)."""

import pytest

from actions import told
from tests.actions.talker import Writer, house  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("house")
STORY = "昨天下午骨科护士态度特别差"
BONES = ("department", "骨科")


def told_all(writer: Writer) -> Writer:
    """Bring a complaint to its read-back: story, wish, name and number."""
    writer.tell(STORY, "complaint/attitude", BONES)
    writer.tell("要她道歉", heard="apologize")
    writer.tell("我叫刘芳 电话13812345678", "inform", ("person_name", "刘芳"))
    return writer


# ---- withdrawn


@pytest.mark.parametrize(
    "words", ["不投诉了", "不想说了", "不想投诉了", "撤回", "算了，不投诉了", "我撤回投诉", "取消投诉吧"]
)
def test_a_withdrawal_leaves_the_complaint_and_is_no_part_of_it(words):
    writer = Writer()
    writer.tell("我要投诉收费乱收", "complaint/fee")
    replies = writer.tell(words)
    assert "没有提交" in replies.text
    assert writer.slots["task"] is None
    (draft,) = writer.tickets()
    assert draft.state == "withdrawn"
    assert words not in str(draft.content)
    assert "complaining" not in writer.memory


@pytest.mark.parametrize("question", ["event", "place_time", "demand", "contact", "confirmed"])
def test_a_complaint_can_be_withdrawn_at_every_question(question):
    writer = Writer()
    answers = {
        "event": lambda: writer.tell("我要投诉", "complaint/other"),
        "place_time": lambda: writer.tell("护士骂我"),
        "demand": lambda: writer.tell("昨天下午骨科", "inform", BONES),
        "contact": lambda: writer.press("希望道歉"),
        "confirmed": lambda: writer.press("匿名投诉"),
    }
    for name, answer in answers.items():
        answer()
        assert writer.waits_for == name
        if name == question:
            break
    writer.tell("不想投诉了")
    assert (writer.slots["task"], [t.state for t in writer.tickets()]) == (None, ["withdrawn"])


def test_what_is_asked_beside_a_withdrawal_comes_next():
    writer = Writer()
    writer.tell("我要投诉收费乱收", "complaint/fee")
    replies = writer.tell("不投诉了，先帮我挂个号", heard="track_ticket")
    assert replies.names[0] == "utter_complaint_withdrawn_on"
    assert writer.slots["task"]["name"] == "book_appointment"


@pytest.mark.parametrize(
    "story", ["护士说不用再说了", "他们不让我投诉", "我要求撤销处分", "医生不想说了就走了", "他不投诉了我也要投诉"]
)
def test_words_of_a_story_are_no_withdrawal(story):
    assert told.withdrawal(story) is None


# ---- what belongs where


def test_name_and_number_are_contact_and_nothing_else():
    writer = Writer()
    writer.tell("我要投诉", "complaint/other")
    writer.tell("我叫刘芳 电话13812345678", "inform", ("person_name", "刘芳"))
    assert writer.waits_for == "event"
    writer.tell("护士骂我")
    writer.tell("昨天下午骨科，我是刘芳", "inform", BONES, ("person_name", "刘芳"))
    (draft,) = writer.tickets()
    assert draft.content.pop("contact") == {"person_name": "刘芳", "phone": "13812345678"}
    assert "刘芳" not in str(draft.content)
    assert "138" not in str(draft.content)


@pytest.mark.parametrize(
    ("text", "names", "rest"),
    [
        ("我叫刘芳 电话138****5678", ["刘芳"], ""),
        ("希望加窗口，王建国138****0001", ["王建国"], "希望加窗口"),
        ("我是他儿子，叫王建国，138****0001，要求解释", ["王建国"], "我是他儿子，要求解释"),
        ("护士刘芳骂人", ["刘芳"], "护士刘芳骂人"),
        ("李秀英 138****0002", ["李秀英"], ""),
    ],
)
def test_the_writer_is_taken_out_of_the_story_and_the_staff_is_not(text, names, rest):
    assert told.without_identity(text, names) == rest


def test_a_wish_is_the_demand_even_before_it_is_asked_for():
    writer = Writer()
    writer.tell("我要投诉", "complaint/other")
    writer.tell("要她道歉", heard="apologize")
    assert writer.waits_for == "event"
    writer.tell("护士骂我")
    writer.tell("昨天下午骨科", "inform", BONES)
    assert writer.waits_for == "contact"
    (draft,) = writer.tickets()
    assert (draft.content["demand"], draft.content["event"]) == ("要她道歉", "护士骂我\n昨天下午骨科")


def test_more_of_the_story_is_no_demand():
    writer = Writer()
    writer.tell(STORY, "complaint/attitude", BONES)
    writer.tell("她还摔了病历", heard="report_death")
    assert writer.waits_for == "demand"
    assert "她还摔了病历" in writer.tickets()[0].content["event"]
    assert not writer.memory.get("bereaved")


@pytest.mark.parametrize(
    "text", ["护士要求我先交钱", "太麻烦了", "医生希望我住院", "我要等三个小时", "他还要我先交钱", "我要投诉你们"]
)
def test_what_others_want_is_not_the_patients_wish(text):
    assert told.demand_in(text) is None


@pytest.mark.parametrize("yes", ["是的 确认", "确认", "好的", "可以提交", "对"])
def test_yes_in_any_words_sends_it(yes):
    writer = told_all(Writer())
    writer.tell(yes, "inform")
    assert [t.state for t in writer.tickets()] == ["confirmed"]


def test_no_at_the_read_back_keeps_it_back_and_wrong_asks_what_to_change():
    writer = told_all(Writer())
    writer.tell("不对")
    assert writer.waits_for == "amend"
    writer.tell("是前天，她还骂人")
    assert writer.waits_for == "confirmed"
    assert "她还骂人" in writer.tickets()[0].content["event"]
    writer.tell("先不用")
    assert [t.state for t in writer.tickets()] == ["withdrawn"]


def test_a_question_at_the_read_back_is_answered_and_not_written_down():
    writer = told_all(Writer())
    replies = writer.tell("受理编号是多少来着", heard="faq/contact_phones")
    assert replies.names == ["utter_complaint_number_later", "utter_confirm_complaint"]
    assert "编号" not in writer.tickets()[0].content["event"]


def test_the_department_can_be_set_right():
    writer = told_all(Writer())
    writer.tell("不是骨科，是康复科", "inform", ("department", "康复科"))
    content = writer.tickets()[0].content
    assert (content["departments"], "骨科" in content["event"]) == (["康复科"], False)


# ---- type


@pytest.mark.parametrize(
    ("story", "type_"),
    [
        ("护士态度特别差", "attitude"),
        ("给我多收了两百块的检查费", "fee"),
        ("排队排了三个钟头", "waiting"),
        ("公众号老是闪退挂不上号", "system"),
        ("三楼厕所太脏了", "environment"),
        ("医生暗示我塞红包", "ethics"),
        ("把我的病历念给别人听", "privacy"),
        ("手术做坏了", "quality"),
    ],
)
def test_the_type_follows_the_story_when_the_first_line_named_none(story, type_):
    writer = Writer()
    writer.tell("我要投诉", "complaint/other")
    writer.tell(story, heard="complaint/other")
    assert writer.tickets()[0].type == type_


def test_a_bare_first_line_names_no_type_whatever_its_label():
    writer = Writer()
    writer.tell("我要投诉", "complaint/waiting")
    assert writer.tickets()[0].type == "other"
    writer.tell("护士态度特别差")
    assert writer.tickets()[0].type == "attitude"


# ---- who writes


def test_name_and_number_after_anonymous_make_the_writer_known():
    writer = Writer()
    writer.tell(STORY + "，要她道歉", "complaint/attitude", BONES)
    writer.press("匿名投诉")
    assert writer.tickets()[0].anonymous
    replies = writer.tell("我叫刘芳 电话13812345678", "inform", ("person_name", "刘芳"))
    assert "联系方式：已留" in replies.text
    writer.press("确认提交")
    (ticket,) = writer.tickets()
    assert not ticket.anonymous
    assert ticket.content["contact"] == {"person_name": "刘芳", "phone": "13812345678"}


def test_anonymous_after_name_and_number_keeps_neither():
    writer = told_all(Writer())
    replies = writer.tell("还是匿名吧", heard="bot_challenge")
    assert "联系方式：匿名" in replies.text
    writer.press("确认提交")
    (ticket,) = writer.tickets()
    assert ticket.anonymous
    assert "contact" not in ticket.content
    assert "匿名" not in ticket.content["event"]


# ---- dispute, favour, death


def test_a_dispute_has_the_apology_then_the_lawful_ways_with_sealing_then_goes_to_quality_control():
    writer = Writer()
    replies = writer.tell("我妈手术做坏了 我要告你们 怎么封存病历", "complaint/quality", ("relation", "我妈"))
    assert replies.names[:2] == ["utter_complaint/quality", "utter_dispute_ways"]
    ways = replies[1].text
    for needed in ("协商", "调解", "诉讼", "封存", "双方在场", "医患关系办公室", "病案室", "0550-8800111"):
        assert needed in ways
    assert writer.waits_for == "place_time"
    assert (writer.tickets()[0].route, writer.tickets()[0].urgency) == ("quality", "high")


def test_who_asks_for_a_favour_hears_that_openings_are_free_of_extra_charge_and_makes_no_ticket():
    writer = Writer()
    replies = writer.tell("能不能帮我搞个黄牛号 给你红包", "complaint/ethics")
    assert replies.names == ["utter_fair_openings"]
    assert writer.tickets() == []
    assert writer.slots["task"] is None


@pytest.mark.parametrize("text", ["医生跟我要红包，能不能管管", "我要投诉黄牛", "他们收了我红包"])
def test_who_was_wronged_asks_for_no_favour(text):
    assert not told.asks_favour(text)


def test_a_death_told_in_a_complaint_has_a_word_of_condolence_once():
    writer = Writer()
    first = writer.tell("我父亲去世了就是你们误诊", "complaint/quality", ("relation", "我父亲"))
    assert first.names[0] == "utter_condolence"
    assert "utter_condolence" not in writer.tell("他走了都没人管").names


# ---- leaving and coming back


def test_goodbye_in_an_unfinished_complaint_promises_no_answer():
    writer = Writer()
    writer.tell("我要投诉药房等太久", "complaint/other")
    replies = writer.tell("再见")
    assert "草稿" in replies.text
    assert "没有提交" in replies.text
    assert "答复" not in replies.text
    (draft,) = writer.tickets()
    assert (draft.state, "再见" in str(draft.content)) == ("draft", False)
    assert writer.memory["complaining"]
    assert "complained" not in writer.memory


def test_only_a_sent_complaint_is_remembered_as_made():
    writer = told_all(Writer())
    assert "complained" not in writer.memory
    writer.press("确认提交")
    assert writer.memory["complained"]
    assert "complaining" not in writer.memory


def test_a_greeting_in_between_is_no_story():
    writer = Writer()
    writer.tell("我要投诉", "complaint/other")
    for words in ("在吗", "好的", "谢谢"):
        writer.tell(words)
    assert writer.waits_for == "event"
    assert "event" not in writer.tickets()[0].content


def test_back_asks_the_last_question_again():
    writer = told_all(Writer())
    writer.tell("返回", heard="go_back")
    assert writer.waits_for == "demand"


def test_a_turn_that_lives_twice_files_one_complaint_with_one_receipt():
    writer = told_all(Writer())
    first = writer.press("确认提交").text
    assert writer.again().text == first
    assert len(writer.tickets()) == 1


def test_in_the_queue_where_is_the_person_has_the_place_as_answer():
    writer = Writer()
    writer.tell(STORY, "complaint/attitude", BONES)
    writer.tell("转人工", "request_human")
    replies = writer.tell("人呢", heard="deny")
    assert replies.names == ["utter_still_in_queue"]
    assert writer.waits_for == "demand"
