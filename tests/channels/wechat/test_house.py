"""WeChat against the real web process, over HTTP (cases 1 to 5, 17 to 22, 37 to 39)."""

import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import func, select

from bot.conversations.tables import inbox, lines, outbox
from channels.wechat import service
from tests.builders import spoken
from tests.channels.wechat import simulator
from tests.channels.wechat.house import event, openid, rows, running_house, text, wait_for
from tests.channels.wechat.simulator import sign


def query(stamp: int | None = None, **more) -> dict:
    stamp, nonce = str(stamp or int(time.time())), "417"
    return {"timestamp": stamp, "nonce": nonce, "signature": sign(simulator.TOKEN, stamp, nonce), **more}


def test_the_whole_path_from_the_callback_to_the_customer_service_message(house):
    who = openid()
    pushed = house.push(text(who, "我想预约挂号"))
    assert pushed["attempts"][0]["body"] == "success"
    shown = house.answer(who, "好的，请问您想挂哪个科？", titles=("心内科", "骨科"))
    (sent,) = house.sends(who)
    entry = sent["msgmenu"]["list"][1]
    house.push({**text(who, entry["content"]), "bizmsgmenuid": entry["id"]})
    turn = house.turn(who)
    assert (turn.rows[0].kind, turn.rows[0].text) == ("button", "骨科")
    assert len(shown) == 2
    assert house.state()["faults"] == []


def test_case_01_the_consoles_check_is_answered_with_the_raw_echostr(house):
    answer = httpx.get(f"{house.url}/wechat", params=query(echostr="4375120948345356249"))
    assert (answer.status_code, answer.text) == (200, "4375120948345356249")
    assert answer.headers["content-type"].startswith("text/plain")


def test_case_02_a_wrong_check_gets_403_and_nothing_back(house):
    good = query(echostr="<script>1</script>")
    for wrong in (
        {**good, "signature": "0" * 40},
        {name: value for name, value in good.items() if name != "nonce"},
        query(int(time.time()) - 3600, echostr="1"),
        [*good.items(), ("timestamp", good["timestamp"])],
        {},
    ):
        answer = httpx.get(f"{house.url}/wechat", params=wrong)
        assert (answer.status_code, answer.content) == (403, b"")


def test_case_04_and_05_a_forged_or_open_body_gets_403_and_reaches_nobody(house):
    who = openid()
    assert house.push(text(who, "假的"), mode="plain", deliveries=1)["attempts"][0]["status"] == 403
    assert house.push(text(who, "假的"), app_id="wxforeign000000000", deliveries=1)["attempts"][0]["status"] == 403
    assert service.conversation_of(who) is None


def test_case_09_a_message_under_the_old_key_is_answered_under_the_old_key(house):
    who = openid()
    pushed = house.push(text(who, "我胸口疼得厉害，喘不上气"), key=simulator.OLD_KEY)
    assert "120" in pushed["reply"]["Content"]
    assert house.state()["faults"] == []


def test_case_17_the_acknowledgement_does_not_wait_for_the_bot(house):
    people = [openid() for _ in range(40)]
    house.push(text(people[0], "您好"))  # the first one warms up
    with ThreadPoolExecutor(8) as pool:
        pushed = list(pool.map(lambda who: house.push(text(who, "我想预约挂号"), deliveries=1), people))
    took = [one["attempts"][0]["ms"] for one in pushed]
    assert {one["attempts"][0]["body"] for one in pushed} == {"success"}
    assert statistics.quantiles(took, n=100)[98] < 1000
    house.answer(people[-1], "这是后来才想好的回答。")  # the bot has thought all this time
    assert house.sends(people[-1])[0]["text"]["content"] == "这是后来才想好的回答。"


def test_case_18_a_repeated_delivery_is_one_turn_and_one_answer(house):
    for how in ({"repeat": True}, {"repeat": True, "new_nonce": True}):
        who = openid()
        message = text(who, "我想预约挂号")
        pushed = house.push(message, **how)
        assert [one["body"] for one in pushed["attempts"]] == ["success"] * 3
        house.answer(who, "好的。")
        house.push(message, **how)  # after the answer, too
        house.sends(who)
        house.push(text(who, "谢谢"))
        assert [line.text for line in house.lines(who, 3)] == ["我想预约挂号", "好的。", "谢谢"]
        assert len(house.state(who)["sends"]) == 1


def test_case_19_a_repeated_event_counts_once_and_two_in_one_second_count_twice(house):
    who = openid()
    first, second = event(who, "CLICK", EventKey="say:book"), event(who, "CLICK", EventKey="say:price")
    second["CreateTime"] = first["CreateTime"]
    for one in (first, second, first, second):
        house.push(one, repeat=True)
    house.lines(who, 2)
    house.push(text(who, "谢谢"))
    house.lines(who, 3)
    said = [said for _, said in spoken(house.conversation(who))]
    assert sorted(said[:2]) == sorted(["我想预约挂号", "请问检查项目怎么收费"])
    assert said[2:] == ["谢谢"]


def test_case_21_kill_9_between_acknowledgement_and_answer_loses_nothing(house):
    people = [openid() for _ in range(20)]
    for who in people[:10]:
        assert house.push(text(who, f"我是{who[-4:]}"), deliveries=1)["attempts"][0]["body"] == "success"
    house.kill()
    house.start()
    for who in people[10:]:
        house.push(text(who, f"我是{who[-4:]}"), deliveries=1)
    for who in people:
        wait_for(lambda who=who: service.conversation_of(who), 40, house.log)
        assert [line.text for line in house.lines(who)] == [f"我是{who[-4:]}"]
    house.answer(people[0], "您好。")
    house.kill()  # an answer waits in the outbox, or has just gone
    house.start()
    assert [one["text"]["content"] for one in house.sends(people[0])] in (["您好。"], ["您好。"] * 2)


def test_case_22_ten_quick_messages_stay_in_order_and_many_people_apart(house):
    who = openid()
    for number in range(10):
        house.push(text(who, f"第{number}句"))
    assert [line.text for line in house.lines(who, 10)] == [f"第{number}句" for number in range(10)]
    people = [openid() for _ in range(60)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda each: house.push(text(each, f"我是{each}")), people))
    for each in people:
        assert [line.text for line in house.lines(each)] == [f"我是{each}"]


def test_case_37_a_body_of_70_kb_is_refused_and_a_slow_one_disturbs_nobody(house):
    answer = httpx.post(f"{house.url}/wechat", params=query(), content=b"x" * 70_000)
    assert answer.status_code == 413
    port = int(house.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /wechat HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n<xml>")
        assert house.push(text(openid(), "您好"), deliveries=1)["attempts"][0]["ms"] < 2000


def test_case_38_the_log_holds_no_openid_no_secret_no_token_and_no_words(house):
    who = openid()
    house.set(errors={"send": [40164, 48004, -1, -1, -1]})
    house.push(text(who, "我的秘密病情"))
    house.answer(who, "绝密的回答")
    house.push(text(who, "坏消息"), app_id="wxforeign000000000", deliveries=1)
    wait_for(lambda: "40164" in house.log(), 10, house.log)
    log, state = house.log(), house.state()
    for secret in (
        who,
        who[6:],
        "秘密病情",
        "绝密的回答",
        simulator.SECRET,
        simulator.KEY,
        simulator.TOKEN,
        *state["tokens"],
    ):
        assert secret not in log
    assert "access_token" not in log


def test_case_39_after_many_failures_wechat_falls_silent_for_a_while_and_all_goes_on(house):
    who = openid()
    house.set(mark_fail_after=3)
    for _ in range(3):
        house.push(text(who, "您好"), app_id="wxforeign000000000", deliveries=1, mark_seconds=2)
    assert house.push(text(who, "您好")) == {"attempts": [], "reply": None, "marked": True}
    wait_for(lambda: house.push(text(who, "您好")).get("attempts"), 10)
    house.set(mark_fail_after=10**9)
    assert [line.text for line in house.lines(who)] == ["您好"]


def test_nothing_was_stored_twice_and_no_reply_was_faulty(house):
    assert house.state()["faults"] == []
    doubled = select(inbox.c.client_id).group_by(inbox.c.client_id).having(func.count() > 1)
    assert rows(doubled) == []
    lost = select(lines.c.id).outerjoin(
        outbox, (outbox.c.conversation_id == lines.c.conversation_id) & (outbox.c.seq == lines.c.seq)
    )
    assert rows(lost.where(lines.c.sender != "patient", outbox.c.id.is_(None))) == []


def test_case_40_the_real_door_knows_the_list_behind_a_proxy(migrated, tmp_path):
    with running_house(tmp_path, migrated("sqlite"), DAOYI_WECHAT_IPS="101.226.103.0/24") as listed:
        for forwarded, status in (("8.8.8.8, 101.226.103.7", 200), ("101.226.103.7, 8.8.8.8", 403), ("8.8.8.8", 403)):
            who = openid()
            pushed = listed.push(text(who, "您好"), headers={"X-Forwarded-For": forwarded}, deliveries=1)
            assert pushed["attempts"][0]["status"] == status
            checked = httpx.get(
                f"{listed.url}/wechat", params=query(echostr="1"), headers={"X-Forwarded-For": forwarded}
            )
            assert checked.status_code == status
