"""Who may come in (cases 1 to 10, 37, 40), on the pure door; test_house.py knocks at the real one."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, check_wechat
from bot.web.limits import address
from channels.wechat import door
from channels.wechat.account import Account
from channels.wechat.crypto import BadMessage, Envelope
from channels.wechat.menu import Menu
from channels.wechat.messages import incoming, read_xml, text_reply
from tests.channels.wechat import simulator, vectors
from tests.channels.wechat.house import event, openid, text

MOMENT = datetime(2026, 11, 23, 10, tzinfo=timezone.utc)
SAFE = Account(
    app_id=simulator.APP_ID,
    original_id=simulator.ORIGINAL,
    token=simulator.TOKEN,
    secret="",
    api="",
    plain=False,
    verified=True,
    passive_ms=0,
    envelope=Envelope(simulator.APP_ID, simulator.TOKEN, (simulator.KEY, simulator.OLD_KEY)),
    menu=Menu([], {}),
    notices={},
)
PLAIN = replace(SAFE, plain=True)


def sealed(fields: dict, moment: datetime = MOMENT, **how) -> tuple[dict, bytes]:
    """Give (query, body) as the played WeChat sends it."""
    body, query = simulator.WeChat().sealed({"fields": fields, "timestamp": int(moment.timestamp()), **how})
    return {name: [value] for name, value in query.items()}, body


def moment_of(stamp: str) -> datetime:
    return datetime.fromtimestamp(int(stamp), timezone.utc)


def test_case_01_the_published_check_gives_echostr_back():
    stamp, nonce, signed = vectors.GET
    query = {"signature": [signed], "timestamp": [stamp], "nonce": [nonce], "echostr": ["4375120948345356249"]}
    assert door.verify(SAFE, query, moment_of(stamp)) == "4375120948345356249"


@pytest.mark.parametrize("wrong", ["signature", "timestamp", "nonce", "echostr"])
@pytest.mark.parametrize("how", ["missing", "double", "other", "empty"])
def test_case_02_a_parameter_that_is_missing_double_or_wrong_is_refused(wrong, how):
    stamp, nonce, signed = vectors.GET
    query = {"signature": [signed], "timestamp": [stamp], "nonce": [nonce], "echostr": ["437"]}
    if how == "other" and wrong == "echostr":
        query["echostr"] = ["1" * 513]  # it is not signed itself
    else:
        query[wrong] = {"missing": [], "double": query[wrong] * 2, "other": ["17"], "empty": [""]}[how]
    with pytest.raises(BadMessage):
        door.verify(SAFE, query, moment_of(stamp))


def test_case_03_the_published_plain_post_comes_in_in_plain_mode():
    stamp, nonce, signed = vectors.PLAIN_POST
    query = {"signature": [signed], "timestamp": [stamp], "nonce": [nonce]}
    body = simulator.to_xml(text(openid(), "您好")).encode()
    visit = door.enter(PLAIN, query, body, moment_of(stamp))
    assert (visit.message.text, visit.key) == ("您好", None)
    with pytest.raises(BadMessage):
        door.enter(PLAIN, {**query, "signature": ["0" * 40]}, body, moment_of(stamp))


def test_case_04_a_wrong_msg_signature_is_refused():
    query, body = sealed(text(openid(), "您好"))
    assert door.enter(SAFE, query, body, MOMENT).message.text == "您好"
    for wrong in (query["signature"], ["0" * 40], ["é" * 40], []):
        with pytest.raises(BadMessage):
            door.enter(SAFE, {**query, "msg_signature": wrong}, body, MOMENT)


def test_case_05_safe_mode_refuses_a_body_in_the_clear():
    query, body = sealed(text(openid(), "您好"), mode="plain")
    assert door.enter(PLAIN, query, body, MOMENT).message.text == "您好"
    with pytest.raises(BadMessage):
        door.enter(SAFE, query, body, MOMENT)
    with pytest.raises(BadMessage):
        door.enter(SAFE, {**query, "encrypt_type": ["aes"], "msg_signature": query["signature"]}, body, MOMENT)


def test_case_06_in_compatible_mode_only_the_encrypted_copy_counts():
    query, body = sealed(text(openid(), "真正的内容"), mode="compatible", shown={"Content": "假的内容"})
    assert "假的内容" in body.decode()
    assert door.enter(SAFE, query, body, MOMENT).message.text == "真正的内容"


def test_case_07_a_foreign_appid_or_account_is_refused():
    for fields, how in (
        (text(openid(), "您好"), {"app_id": "wxforeign000000000"}),
        ({**text(openid(), "您好"), "ToUserName": "gh_other"}, {}),
    ):
        query, body = sealed(fields, **how)
        with pytest.raises(BadMessage):
            door.enter(SAFE, query, body, MOMENT)


@pytest.mark.parametrize("away, fine", [(3600, False), (-3600, False), (120, True), (-120, True), (0, True)])
def test_case_10_an_hour_old_is_refused_two_minutes_are_not(away, fine):
    query, body = sealed(text(openid(), "您好"), MOMENT - timedelta(seconds=away))
    if fine:
        assert door.enter(SAFE, query, body, MOMENT).message.text == "您好"
    else:
        with pytest.raises(BadMessage):
            door.enter(SAFE, query, body, MOMENT)


def test_a_reply_to_an_encrypted_message_is_encrypted_and_cannot_be_broken_out_of():
    query, body = sealed(text(openid(), "您好"))
    visit = door.enter(SAFE, query, body, MOMENT)
    nasty = "]]><Evil>1</Evil>\x00\x08\ud800😀&<a"
    reply = door.seal(SAFE, visit, text_reply(visit.message, nasty, 1), MOMENT)
    read = simulator.WeChat().read_reply(reply, {"fields": {**visit.message.fields}})
    assert read["Content"] == "]]><Evil>1</Evil>😀&<a"
    assert set(read) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}


DOCTYPE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;">]><xml><MsgType>&b;</MsgType></xml>'
XXE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><MsgType>&a;</MsgType></xml>'


@pytest.mark.parametrize("body", [DOCTYPE, XXE, "", "<xml>", "no xml", "<xml/>", "\x00", '{"a":1}'])
def test_case_37_entities_doctypes_and_junk_are_refused(body):
    with pytest.raises(BadMessage):
        incoming(read_xml(body.encode()))


@pytest.mark.parametrize("sender", ["", "a b", "../etc", "x" * 65, "<b>", '"'])
def test_an_openid_that_is_none_is_refused(sender):
    with pytest.raises(BadMessage):
        incoming({**text(openid(), "您好"), "FromUserName": sender, "CreateTime": "1"})


def test_two_events_in_one_second_differ_and_a_repeated_one_does_not():
    who = openid()
    one, two = event(who, "CLICK", EventKey="a"), event(who, "CLICK", EventKey="b")
    two["CreateTime"] = one["CreateTime"]

    def key(fields: dict) -> str:
        return incoming({name: str(value) for name, value in fields.items()}).key

    assert key(one) != key(two)
    assert key(one) == key(dict(one))
    assert key({**text(who, "a"), "MsgId": 1}) == key({**text(who, "a"), "MsgId": 1, "CreateTime": 5})


class Caller:
    """A request as the limits see it."""

    def __init__(self, ip: str, forwarded: str | None = None) -> None:
        self.ip = ip
        self.headers = {"x-forwarded-for": forwarded} if forwarded else {}


def test_case_40_only_listed_addresses_call_and_a_spoofed_header_does_not_help():
    listed = door.networks("101.226.103.0/24, 2402:4e00::/32")
    assert door.admitted("101.226.103.7", listed)
    assert door.admitted("2402:4e00::1", listed)
    assert not door.admitted("8.8.8.8", listed)
    assert not door.admitted("nonsense", listed)
    assert door.admitted("8.8.8.8", ())
    # A stranger writes the header himself; only our own proxy's last entry counts.
    assert not door.admitted(address(Caller("8.8.8.8", "101.226.103.7")), listed)
    assert not door.admitted(address(Caller("127.0.0.1", "101.226.103.7, 8.8.8.8")), listed)
    assert door.admitted(address(Caller("127.0.0.1", "8.8.8.8, 101.226.103.7")), listed)
    with pytest.raises(SettingsError, match="DAOYI_WECHAT_IPS"):
        door.networks("101.226.103.0/24,here")


def test_settings_name_every_field_that_is_missing():
    assert check_wechat(Settings()) is False
    with pytest.raises(SettingsError) as error:
        check_wechat(Settings(wechat_app_id="wx1", wechat_aes_key_old="short", wechat_passive_ms=9000))
    for name in ("ORIGINAL_ID is missing", "TOKEN is missing", "SECRET is missing", "AES_KEY is missing", "43", "4000"):
        assert name in str(error.value)
    full = dict(wechat_app_id="wx1", wechat_original_id="gh_1", wechat_token="t", wechat_secret="s")
    assert check_wechat(Settings(**full, wechat_mode="plain"))
    assert check_wechat(Settings(**full, wechat_aes_key="A" * 43))
    with pytest.raises(SettingsError, match="MODE"):
        check_wechat(Settings(**full, wechat_mode="json"))
