"""A person by day, a message by night with the number in it; a death is heard only where one is told (R30, R60, R99)."""

import pytest
from sqlalchemy import select

from actions import told
from bot.conversations.tables import conversations
from bot.storage.engine import reading
from tests.actions.talker import NIGHT, Writer, house  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("house")


def test_who_asks_twice_for_a_person_hears_his_place():
    writer = Writer()
    assert writer.tell("转人工", "request_human").names == ["utter_in_queue"]
    replies = writer.tell("转人工", "request_human")
    assert replies.names == ["utter_still_in_queue"]
    assert "第1位" in replies.text
    assert writer.memory["queued"]


@pytest.mark.parametrize("text", ["人呢", "人呢？", "客服呢", "还要等多久", "排到我了吗", "人怎么还没来"])
def test_where_is_the_person_is_understood(text):
    assert told.WHERE_IS_PERSON.search(text)


@pytest.mark.parametrize("text", ["病人呢", "我家人呢在楼下", "等多久能拿报告"])
def test_other_questions_are_not_taken_for_it(text):
    assert not told.WHERE_IS_PERSON.search(text)


def test_a_number_in_the_message_is_taken_and_kept_for_those_who_call_back():
    writer = Writer(NIGHT)
    writer.tell("转人工", "request_human")
    replies = writer.tell("麻烦明天给我回电话，我想问我妈住院手续怎么办，13800000002，姓李")
    assert replies.names == ["utter_message_left"]
    (message,) = writer.tickets("message")
    assert message.content["contact"]["phone"] == "13800000002"
    assert "住院手续" in message.content["event"]


def test_text_and_number_may_come_with_the_wish_for_a_person():
    writer = Writer(NIGHT)
    replies = writer.tell("转人工，我想问我妈住院手续怎么办，电话13800000002", "request_human")
    assert replies.names == ["utter_message_left"]
    assert writer.tickets("message")[0].content["event"] == "我想问我妈住院手续怎么办"


def test_a_number_alone_is_no_message():
    writer = Writer(NIGHT)
    writer.tell("转人工", "request_human")
    writer.tell("13800000002")
    assert writer.waits_for == "content"
    writer.tell("问问住院手续")
    assert writer.tickets("message")[0].content["contact"] == {"phone": "13800000002"}


def test_words_about_wanting_a_person_are_no_message():
    writer = Writer(NIGHT)
    writer.tell("我要和真人讲话，别用机器人糊弄", "request_human")
    assert writer.waits_for == "content"


@pytest.mark.parametrize(
    "text",
    [
        "她已经走了",
        "人没了",
        "走了",
        "我爸上周三去世了",
        "我妈没了，这月3号",
        "我老伴前天咽的气",
        "他死了",
        "患者昨天抢救无效走了",
        "这个号是我儿子的，他不在了，求求你们别发了",
        "我妈上个月走了，你们还发短信回访",
        "没救过来",
        "我父亲上个月走了，是你们抢救不及时",
    ],
)
def test_a_death_is_heard(text):
    assert told.death(text)


@pytest.mark.parametrize(
    "text",
    [
        "她还摔了病历",
        "刚才断线了 没了",
        "等死我了",
        "气死人了",
        "护士走了",
        "医生走了没人管",
        "我的号没了",
        "他去了骨科",
        "人呢 没了",
        "我走了半天没找到",
    ],
)
def test_a_death_is_not_heard_where_none_is_told(text):
    assert not told.death(text)


def test_words_without_a_death_have_no_condolence():
    writer = Writer()
    replies = writer.tell("刚才断线了 没了", "report_death")
    assert "节哀" not in replies.text
    assert writer.tickets("death") == []
    assert not writer.memory.get("bereaved")


def test_words_without_a_death_go_on_with_an_open_complaint():
    writer = Writer()
    writer.tell("昨天骨科护士骂我，要她道歉", "complaint/attitude", ("department", "骨科"))
    writer.tell("她还摔了病历", "report_death")
    assert "她还摔了病历" in writer.tickets()[0].content["event"]


def test_a_calm_question_after_a_death_has_condolence_and_where_the_certificate_is_issued():
    writer = Writer()
    replies = writer.tell("我父亲昨天在你们医院去世了 怎么办死亡证明", "report_death", ("relation", "我父亲"))
    assert "节哀" in replies.text
    for needed in ("科室医生开具", "病案室", "0550-8800000"):
        assert needed in replies.text
    assert "反映这件事" not in replies.titles
    assert len(writer.tickets("death")) == 1


@pytest.mark.parametrize("said", ["我父亲昨天在你们医院去世了，是你们耽误的", "我父亲上个月走了，是你们抢救不及时"])
def test_blame_after_a_death_is_offered_a_complaint_that_is_filled_in_and_goes_to_quality_control(said):
    writer = Writer()
    replies = writer.tell(said, "report_death", ("relation", "我父亲"))
    assert "节哀" in replies.text
    writer.press("反映这件事")
    (draft,) = writer.tickets()
    assert (draft.route, draft.content["event"]) == ("quality", said)
    assert writer.waits_for != "event"


def test_a_complaint_told_after_a_death_begins_with_what_was_told():
    writer = Writer()
    writer.tell("我父亲昨天在你们医院去世了 怎么办死亡证明", "report_death")
    writer.tell("是你们耽误的", "complaint/quality")
    (draft,) = writer.tickets()
    assert draft.type == "quality"
    assert draft.content["event"].startswith("我父亲昨天在你们医院去世了")
    assert "耽误" in draft.content["event"]


def row_of(writer: Writer):
    with reading() as conn:
        return conn.execute(select(conversations).where(conversations.c.id == writer.id)).one()


def test_the_second_message_in_a_row_that_is_not_understood_offers_choices_and_brings_a_person():
    writer = Writer()
    assert writer.tell("阿巴阿巴", "nlu_fallback").names == ["utter_rephrase"]
    replies = writer.tell("哇啦哇啦", "nlu_fallback")
    assert replies.names == ["utter_fallback_person", "utter_in_queue"]
    assert "预约挂号" in replies.titles
    assert (row_of(writer).holder, row_of(writer).queue_reason) == ("queue", "连续两次没有听懂")


def test_at_night_a_second_miss_offers_choices_and_the_way_to_leave_a_message():
    writer = Writer(NIGHT)
    writer.tell("阿巴阿巴", "nlu_fallback")
    replies = writer.tell("哇啦哇啦", "nlu_fallback")
    assert (replies.names, "转人工" in replies.titles) == (["utter_fallback_person"], True)
    assert row_of(writer).holder == "bot"


def test_another_trade_is_no_answer_either():
    writer = Writer()
    writer.tell("阿巴阿巴", "nlu_fallback")
    assert writer.tell("哇啦哇啦", "out_of_scope").names == ["utter_out_of_scope", "utter_in_queue"]


def test_an_answer_that_is_missed_twice_brings_a_person_and_the_question_stays():
    writer = Writer()
    writer.tell("查一下我的费用", "query_bill")
    asked = writer.waits_for
    assert writer.tell("咕噜").names[0] == "utter_answer_missed"
    replies = writer.tell("咕噜咕噜")
    assert replies.names[:2] == ["utter_answer_missed_twice", "utter_in_queue"]
    assert writer.waits_for == asked
    assert row_of(writer).queue_reason.startswith("连续两次没有听懂（")
    assert "utter_in_queue" not in writer.tell("咕噜咕噜咕噜").names


# ---- anger (R34, R69)


@pytest.mark.parametrize(
    "text",
    [
        "气死我了",
        "我真的很生气",
        "氣死我了",
        "垃圾机器人",
        "你是不是听不懂人话",
        "问了半天一点用都没有！！",
        "受够了",
        "你到底能不能解决问题啊",
        "答非所问",
        "浪费时间",
        "什么破系统",
        "火大",
        "你怎么这么笨",
        "别糊弄我",
    ],
)
def test_anger_is_heard(text):
    assert told.angry(text)


@pytest.mark.parametrize(
    "text",
    [
        "我妈一生气就头晕，挂什么科",
        "孩子容易生气怎么办",
        "我爸说话答非所问",
        "爱发脾气看什么科",
        "急死我了，我妈晕倒了",
        "到底能不能报销",
        "这药一点用都没有",
        "垃圾桶在哪",
        "没有人工吗",
        "我不着急",
        "有人管这事吗",
        "老人经常发火",
    ],
)
def test_an_illness_a_worry_or_a_question_is_no_anger(text):
    assert not told.angry(text)


@pytest.mark.parametrize(
    "label", ["complaint/other", "abuse", "nlu_fallback", "chitchat/other", "bot_challenge", "deny"]
)
def test_an_angry_word_is_soothed_and_offered_a_person_at_once_and_nothing_is_asked_of_him(label):
    writer = Writer()
    replies = writer.tell("气死我了", label)
    assert replies.names == ["utter_abuse_first"]
    assert {"转人工", "我要投诉"} <= set(replies.titles)
    assert replies.text.startswith("让您着急了，非常抱歉")
    assert (row_of(writer).holder, writer.tickets()) == ("bot", [])


@pytest.mark.parametrize("yes", ["好", "好的", "可以", "需要", "行"])
def test_a_plain_yes_brings_the_person(yes):
    writer = Writer()
    writer.tell("气死我了", "complaint/other")
    assert writer.tell(yes, "affirm").names == ["utter_in_queue"]
    assert row_of(writer).holder == "queue"


def test_a_no_goes_on_with_what_is_open():
    writer = Writer()
    writer.tell("查一下我的费用", "query_bill")
    asked = writer.waits_for
    writer.tell("烦死了，你怎么这么笨", "abuse")
    replies = writer.tell("不用", "deny")
    assert replies.names[0] == "utter_back_to_task"
    assert (writer.waits_for, row_of(writer).holder) == (asked, "bot")


def test_the_offer_is_open_for_one_turn_only():
    writer = Writer()
    writer.tell("气死我了", "complaint/other")
    writer.tell("您好", "greet")
    writer.tell("好的", "affirm")
    assert row_of(writer).holder == "bot"


def test_a_request_beside_the_yes_is_not_swallowed():
    writer = Writer()
    writer.tell("气死我了", "complaint/other")
    writer.tell("好，查一下我的费用", "query_bill")
    assert writer.slots["task"]["name"] == "query_bill"


def test_the_second_angry_message_brings_the_person_first_in_line():
    writer = Writer()
    writer.tell("气死我了", "complaint/other")
    replies = writer.tell("你到底能不能解决问题", "complaint/other")
    assert replies.names == ["utter_soothe", "utter_in_queue"]
    row = row_of(writer)
    assert (row.holder, row.queue_reason, row.priority, row.skill) == ("queue", "患者着急、不满", 5, "complaint")


def test_at_night_the_second_angry_message_is_told_whom_to_ring():
    writer = Writer(NIGHT)
    writer.tell("气死我了", "complaint/other")
    replies = writer.tell("受够了", "complaint/other")
    assert replies.names == ["utter_soothe", "utter_fallback_person"]
    assert "0550-8800000" in replies.text and row_of(writer).holder == "bot"


def test_who_waits_already_hears_his_place():
    writer = Writer()
    writer.tell("转人工", "request_human")
    writer.tell("气死我了", "complaint/other")
    assert "utter_still_in_queue" in writer.tell("受够了", "complaint/other").names
    assert row_of(writer).priority == 5


def test_what_is_asked_in_anger_is_answered_all_the_same():
    writer = Writer()
    replies = writer.tell("气死我了，我的费用怎么这么高", "query_bill")
    assert replies.names[0] == "utter_soothe" and "转人工" in replies.titles
    assert writer.slots["task"]["name"] == "query_bill"


def test_an_angry_story_is_a_complaint_whose_apology_offers_a_person():
    writer = Writer()
    replies = writer.tell("气死我了，昨天骨科护士骂我", "complaint/attitude", ("department", "骨科"))
    assert (replies.names[0], "转人工" in replies.titles) == ("utter_complaint/attitude", True)
    assert "护士骂我" in writer.tickets()[0].content["event"]


def test_anger_in_a_complaint_brings_the_person_and_the_story_goes_on():
    writer = Writer()
    writer.tell("气死我了，昨天骨科护士骂我", "complaint/attitude", ("department", "骨科"))
    replies = writer.tell("太过分了，她还把我的病历摔在地上", "inform")
    assert replies.names[:2] == ["utter_soothe", "utter_in_queue"]
    assert "病历摔在地上" in writer.tickets()[0].content["event"]


def test_who_swears_is_offered_a_person_too():
    writer = Writer()
    writer.tell("傻逼", "abuse")
    assert writer.tell("好的", "affirm").names == ["utter_in_queue"]


def test_a_danger_or_a_death_told_in_anger_is_answered_as_such():
    writer = Writer()
    assert writer.tell("气死我了，我父亲昨天在你们这里去世了", "report_death").names[0] != "utter_abuse_first"


def test_who_waits_hears_his_place_and_the_minutes():
    assert "排在第1位，大约需要6分钟" in Writer().tell("转人工", "request_human").text
