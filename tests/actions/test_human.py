"""A person by day, a message by night with the number in it; a death is heard only where one is told (R30, R60, R99)."""

import pytest

from actions import told
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


def test_the_third_message_in_a_row_that_is_not_understood_brings_a_person():
    writer = Writer()
    said = [writer.tell(text, "nlu_fallback").names[0] for text in ("阿巴阿巴", "哇啦哇啦", "咕噜咕噜")]
    assert said == ["utter_rephrase", "utter_fallback_person", "utter_in_queue"]


def test_who_waits_hears_his_place_and_the_minutes():
    assert "排在第1位，大约需要6分钟" in Writer().tell("转人工", "request_human").text
