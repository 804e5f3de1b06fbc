"""The chat over HTTP, as any client may use it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import jwt
import pytest

from bot.clock import now
from bot.conversations.transcript import Line
from bot.storage import heartbeat
from bot.storage.engine import writing
from bot.storage.types import signing_key
from channels.web import sessions
from tests.channels.web.house import bearer, running_house

EXACT = "  体温 <37.3℃ 正常，>38.5℃ 请就医；2*3 片 ½ ㎎ 𠮷 NEURO_01\n\t第二行 &amp; <b>粗</b> [x](y) 👩‍⚕️"


def error_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error"}
    assert "您" in body["error"]["message"] or "请" in body["error"]["message"]
    return answer.status_code, body["error"]["code"]


def test_the_first_page_says_that_an_ai_assistant_speaks(house):
    config = httpx.get(f"{house.url}/chat/config").json()
    assert config["greeting"].startswith("您好")
    assert "人工智能" in config["greeting"] and config["greeting"].endswith("请问有什么可以帮到您？")
    assert 4 <= len(config["suggestions"]) <= 6
    assert config["max_characters"] == 4000 and config["phones"]["emergency"]
    assert "你" not in json.dumps(config, ensure_ascii=False)


def test_outside_the_agents_hours_a_banner_tells_their_hours(tmp_path):
    with running_house(tmp_path, DAOYI_NOW="2026-12-01T23:00:00+08:00") as night:
        config = httpx.get(f"{night.url}/chat/config").json()
        assert not config["agents"]["on_duty"] and "7:30-21:30" in config["banner"]
    with running_house(tmp_path, DAOYI_NOW="2026-12-01T10:00:00+08:00") as day:
        config = httpx.get(f"{day.url}/chat/config").json()
        assert config["agents"]["on_duty"] and config["banner"] is None


def test_what_a_patient_writes_comes_back_character_for_character(house):
    token = house.session()
    assert house.send(token, EXACT).json() == {"seq": 1, "duplicate": False}
    house.answer(token, EXACT)
    assert [line["text"] for line in house.lines(token)] == [EXACT, EXACT]


def test_a_repeated_client_id_is_acknowledged_and_stored_once(house):
    token = house.session()
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: house.send(token, "我想挂号", "same-id").json(), range(8)))
    assert {answer["seq"] for answer in answers} == {1}
    assert sum(not answer["duplicate"] for answer in answers) == 1
    assert [line["client_id"] for line in house.lines(token)] == ["same-id"]


def test_a_session_sees_its_own_talk_only(house):
    mine, other = house.session(), house.session()
    house.send(mine, "我的事")
    assert house.lines(other) == []
    assert len(house.lines(mine)) == 1


def _signed(claims: dict, key: bytes | None = None) -> str:
    return jwt.encode(claims, key or signing_key(), algorithm="HS256")


@pytest.mark.parametrize(
    "kind", ["missing", "garbage", "forged", "expired", "other audience", "no signature", "erased"]
)
def test_a_void_token_opens_nothing_and_says_so(house, kind):
    visitor = sessions.visitor_of(house.session(), now())
    later, past = int(time.time()) + 1000, int(time.time()) - 1000
    good = {"sub": visitor, "aud": sessions.AUDIENCE, "exp": later}
    token = {
        "missing": "-",
        "garbage": "x.y.z",
        "forged": _signed(good, b"0" * 32),
        "expired": _signed({**good, "exp": past}),
        "other audience": _signed({**good, "aud": "desk"}),
        "no signature": jwt.encode(good, "", algorithm="none"),
        "erased": _signed({**good, "sub": "nobody"}),
    }[kind]
    for answer in (
        httpx.get(f"{house.url}/chat/lines", headers=bearer(token)),
        httpx.get(f"{house.url}/chat/images/abc", headers=bearer(token)),
        house.send(token, "您好"),
    ):
        assert error_of(answer) == (401, "session_over")


def test_a_good_token_is_renewed_for_the_same_visitor_and_a_void_one_is_not(house):
    token = house.session()
    renewed = httpx.post(f"{house.url}/chat/session", headers=bearer(token)).json()["token"]
    assert sessions.visitor_of(renewed, now()) == sessions.visitor_of(token, now())
    fresh = httpx.post(f"{house.url}/chat/session", headers=bearer(token + "x")).json()["token"]
    assert sessions.visitor_of(fresh, now()) != sessions.visitor_of(token, now())


def test_no_cookie_is_set(house):
    for path in ("/", "/chat/config", "/chat/daoyi-chat.js"):
        assert "set-cookie" not in httpx.get(house.url + path).headers
    assert "set-cookie" not in httpx.post(f"{house.url}/chat/session").headers


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"client_id": "a", "text": "长" * 4001}, 413, "too_long"),
        ({"client_id": "a", "text": "长" * 70_000}, 413, "too_long"),
        ({"client_id": "a", "text": ""}, 400, "empty"),
        ({"client_id": "a", "text": " \n "}, 400, "empty"),
        ({"client_id": "a", "text": "\x00\x07"}, 400, "empty"),
        ({"client_id": "a"}, 400, "bad_request"),
        ({"client_id": "a", "text": "x", "button": "y"}, 400, "bad_request"),
        ({"client_id": "a", "text": {"x": 1}}, 400, "bad_request"),
        ({"client_id": "", "text": "x"}, 400, "bad_client_id"),
        ({"client_id": "a" * 65, "text": "x"}, 400, "bad_client_id"),
        ({"client_id": 5, "text": "x"}, 400, "bad_client_id"),
        ({"client_id": "a", "button": "../x"}, 400, "bad_button"),
        (["a"], 400, "bad_request"),
        ("text", 400, "bad_request"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_kind_words_and_not_stored(house, body, status, code):
    token = house.session()
    assert error_of(httpx.post(f"{house.url}/chat/messages", json=body, headers=bearer(token))) == (status, code)
    assert house.lines(token) == []


def test_the_longest_message_passes(house):
    token = house.session()
    assert house.send(token, "𠮷" * 4000).status_code == 200
    assert house.lines(token)[0]["text"] == "𠮷" * 4000


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"[" * 5000])
def test_a_body_that_is_no_json_is_refused(house, content):
    token = house.session()
    assert error_of(httpx.post(f"{house.url}/chat/messages", content=content, headers=bearer(token)))[0] == 400


def test_a_body_over_256_kb_is_refused(house):
    assert error_of(httpx.post(f"{house.url}/chat/messages", content=b"x" * 262_145)) == (413, "too_large")


def test_a_button_is_tapped_once_and_an_old_one_is_told_as_old(house):
    token = house.session()
    house.send(token, "挂号")
    first, second = house.answer(token, "请选择院区", titles=("东院", "西院"))

    def tap(client_id: str, button: str) -> httpx.Response:
        body = {"client_id": client_id, "button": button}
        return httpx.post(f"{house.url}/chat/messages", json=body, headers=bearer(token))

    assert tap("t1", first["token"]).json() == {"seq": 3, "duplicate": False}
    assert tap("t1", first["token"]).json() == {"seq": 3, "duplicate": True}
    assert tap("t2", second["token"]).status_code == 200
    assert [line["text"] for line in house.lines(token, since=2)] == ["东院", "西院"]


def test_lines_after_since_come_in_order_without_gaps(house):
    token = house.session()
    house.send(token, "您好")
    house.say(token, *[Line("bot", f"第{n}句") for n in range(2, 31)])
    assert [line["seq"] for line in house.lines(token, since=10)] == list(range(11, 31))
    assert [line["seq"] for line in house.lines(token, latest=5)] == list(range(26, 31))
    assert [line["seq"] for line in house.lines(token, before=11, latest=4)] == [7, 8, 9, 10]


@pytest.mark.parametrize("query", ["since=-1", "since=x", "wait=1e3", "latest=１", "since=99999999999"])
def test_a_crooked_count_is_refused(house, query):
    answer = httpx.get(f"{house.url}/chat/lines?{query}", headers=bearer(house.session()))
    assert error_of(answer) == (400, "bad_request")


def test_a_long_poll_answers_as_soon_as_another_process_writes(house):
    token = house.session()
    house.send(token, "您好")
    with ThreadPoolExecutor(1) as aside:
        waiting = aside.submit(house.lines, token, since=1, wait=20)
        time.sleep(0.5)
        assert not waiting.done()
        started = time.monotonic()
        house.say(token, Line("bot", "您好，请讲"))
        assert [line["text"] for line in waiting.result()] == ["您好，请讲"]
        assert time.monotonic() - started < 0.5


def test_a_long_poll_without_news_comes_back_empty_in_time(house):
    token = house.session()
    started = time.monotonic()
    assert house.lines(token, since=0, wait=1) == []
    assert 0.9 < time.monotonic() - started < 3


def test_meta_for_the_desk_never_reaches_the_patient(house):
    token = house.session()
    house.send(token, "您好")
    house.say(token, Line("bot", "您好", meta={"intent": "greet", "confidence": 0.91}))
    answer = httpx.get(f"{house.url}/chat/lines", headers=bearer(token))
    assert "greet" not in answer.text and "confidence" not in answer.text and "meta" not in answer.text


def test_receipts_notices_and_agents_are_told_apart(house):
    token = house.session()
    house.send(token, "您好")
    house.say(
        token,
        Line("system", "预约号 GH20261201-0001", meta={"turn": "t:1"}),
        Line("system", "您前面还有2位"),
        Line("agent", "您好，我来帮您", meta={"staff": 4711}),
    )
    lines = house.lines(token, since=1)
    assert [line.get("kind") for line in lines] == ["receipt", "notice", None]
    assert lines[2]["name"] == "人工客服"


def test_a_danger_sign_is_answered_at_once_with_120(house):
    token = house.session()
    house.send(token, "我爸胸口疼得直冒汗")
    patient, warning = house.lines(token)
    assert patient["sender"] == "patient" and warning["sender"] == "system"
    assert warning["kind"] == "danger" and "120" in warning["text"]
    assert {"title": "拨打120", "uri": "tel:120"} in warning["buttons"]


def test_a_phone_number_is_hidden_in_the_stored_line(house):
    token = house.session()
    house.send(token, "我的手机13800000001")
    assert "13800000001" not in house.lines(token)[0]["text"]


def test_a_picture_is_shown_to_its_own_talk_only(house):
    token, other = house.session(), house.session()
    house.send(token, "费用")
    house.answer(token, "您的费用构成", image=b"\x89PNG picture")
    picture = house.lines(token)[-1]["image"]
    assert picture["alt"]
    shown = httpx.get(f"{house.url}/chat/images/{picture['token']}", headers=bearer(token))
    assert shown.content == b"\x89PNG picture" and shown.headers["content-type"] == "image/png"
    assert shown.headers["cache-control"] == "no-store"
    assert error_of(httpx.get(f"{house.url}/chat/images/{picture['token']}", headers=bearer(other)))[0] == 404
    assert error_of(httpx.get(f"{house.url}/chat/images/{picture['token']}"))[0] == 401


def test_a_session_that_sends_too_fast_is_asked_to_wait_and_others_are_not(tmp_path):
    with running_house(tmp_path, DAOYI_RATE_PER_MINUTE="5") as strict:
        token, other = strict.session(), strict.session()
        for number in range(5):
            assert strict.send(token, f"第{number}条").status_code == 200
        refused = strict.send(token, "第六条")
        assert error_of(refused) == (429, "too_fast")
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert refused.json()["error"]["retry_after"] == int(refused.headers["retry-after"])
        assert "120" in refused.json()["error"]["message"]
        assert strict.send(other, "您好").status_code == 200


def test_a_page_of_an_unknown_site_is_refused_and_a_listed_one_may_embed(house):
    def ask(origin: str, method: str = "POST") -> httpx.Response:
        return httpx.request(method, f"{house.url}/chat/session", headers={"origin": origin})

    for origin in ("https://evil.example", "null", "https://www.hospital.example.evil.example"):
        assert error_of(ask(origin)) == (403, "bad_origin")
        assert "access-control-allow-origin" not in ask(origin).headers
    assert ask(house.url).status_code == 201
    listed = ask("https://www.hospital.example")
    assert listed.status_code == 201
    assert listed.headers["access-control-allow-origin"] == "https://www.hospital.example"
    asked = ask("https://www.hospital.example", "OPTIONS")
    assert asked.status_code == 204 and "authorization" in asked.headers["access-control-allow-headers"]
    assert ask("https://evil.example", "OPTIONS").status_code == 403


@pytest.mark.parametrize("path", ["/", "/chat/config", "/healthz", "/nowhere", "/chat/lines", "/chat/daoyi-chat.js"])
def test_every_answer_carries_the_security_headers(house, path):
    headers = httpx.get(house.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "style-src 'self';" in policy
    assert "unsafe" not in policy and "nonce" not in policy
    assert "frame-ancestors 'self' https://www.hospital.example" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/chat/lines", 405),
        ("GET", "/chat/../bot/settings.py", 404),
        ("GET", "/chat/%2e%2e/settings.py", 404),
        ("GET", "/chat/messages", 405),
    ],
)
def test_an_error_has_one_form_and_leaks_nothing(house, method, path, status):
    answer = httpx.request(method, house.url + path)
    assert error_of(answer)[0] == status
    assert "Traceback" not in answer.text and "/work" not in answer.text and "sanic" not in answer.text.lower()


def test_a_broken_database_is_told_kindly_and_no_word_of_a_patient_is_logged(tmp_path):
    with running_house(tmp_path) as house:
        token = house.session()
        with writing() as conn:
            conn.exec_driver_sql("DROP TABLE inbox")
        assert error_of(house.send(token, "我姓诸葛要投诉")) == (503, "busy")
        assert httpx.get(f"{house.url}/healthz").status_code == 200
        assert "OperationalError" in house.log() and "诸葛" not in house.log() and "INSERT" not in house.log()


def test_ready_means_that_a_worker_was_seen_within_15_seconds(house):
    def ready(age: int, is_ready: bool = True) -> int:
        heartbeat.beat("worker", "test", now() - timedelta(seconds=age), is_ready)
        return httpx.get(f"{house.url}/readyz").status_code

    assert httpx.get(f"{house.url}/readyz").status_code == 503
    assert ready(0) == 200
    assert ready(0, is_ready=False) == 503
    assert ready(20) == 503


def test_the_widget_weighs_at_most_40_kb_on_the_wire(house):
    with httpx.stream("GET", f"{house.url}/chat/daoyi-chat.js", headers={"accept-encoding": "gzip"}) as answer:
        wire = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
    assert 5_000 < len(wire) <= 40 * 1024


def test_a_file_that_the_browser_has_is_not_sent_again(house):
    etag = httpx.get(f"{house.url}/chat/daoyi-chat.js").headers["etag"]
    again = httpx.get(f"{house.url}/chat/daoyi-chat.js", headers={"if-none-match": etag})
    assert again.status_code == 304 and again.content == b""


def test_the_page_shows_the_hospitals_telephones_without_any_script(house):
    page = httpx.get(f"{house.url}/").text
    assert "0550-8800120" in page and "示范医院" in page and "{{" not in page
    assert "<style" not in page and " style=" not in page and "onclick" not in page


def test_browsers_without_constructed_style_sheets_get_the_same_styles(house):
    styles = httpx.get(f"{house.url}/chat/daoyi-chat.css")
    assert styles.headers["content-type"].startswith("text/css")
    assert styles.text.strip().startswith(":host{") and "function" not in styles.text


def test_the_page_says_what_it_has_seen_and_the_desk_knows(house):
    token = house.session()
    house.send(token, "在吗")
    headers = {"authorization": f"Bearer {token}"}
    seen = {"got": 1, "read": 1, "typing": True}
    assert httpx.post(f"{house.url}/chat/seen", json=seen, headers=headers).json() == {"seen": True}
    for bad in ({"got": -1}, {"read": "1"}, []):
        assert httpx.post(f"{house.url}/chat/seen", json=bad, headers=headers).status_code == 400
    assert httpx.post(f"{house.url}/chat/seen", json=seen).status_code == 401


def test_only_an_answer_of_ones_own_talk_can_be_called_unhelpful(house):
    mine, other = house.session(), house.session()
    house.send(mine, "停车场在哪")
    house.say(mine, Line("bot", "在南门。", meta={"turn": "t", "intent": "faq/parking"}), Line("agent", "您好"))

    def press(token: str, seq) -> int:
        return httpx.post(f"{house.url}/chat/unhelpful", json={"seq": seq}, headers=bearer(token)).status_code

    assert [press(mine, seq) for seq in (1, 3, 9, "2", True, 0)] == [404, 404, 404, 400, 400, 400]
    assert press(other, 2) == 404 and press("x", 2) == 401
    assert [line.get("unhelpful") for line in house.lines(mine)] == [None, False, None]
    assert press(mine, 2) == 200 and press(mine, 2) == 200
    assert [line.get("unhelpful") for line in house.lines(mine)] == [None, True, None]
