"""SMS by the gateway of DAOYI_SMS_URL: a local server stands in for it."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from sqlalchemy import select, update

from bot.conversations.tables import incidents
from bot.patients import sms
from bot.patients.tables import audit, patients
from bot.settings import settings
from bot.storage.due import due
from bot.storage.engine import reading, writing
from tests.bot.outreach.house import MINUTE, book, cancel, clinic, join, notices_of, person, swept
from tests.builders import MONDAY


@pytest.fixture
def gateway(monkeypatch):
    """A gateway that keeps what it is sent and answers with `status`."""

    class Gateway(BaseHTTPRequestHandler):
        sent: list = []  # noqa: RUF012  (one list for the one server of a test)
        status = 200

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if Gateway.status == 200:
                Gateway.sent.append(json.loads(body))
            self.send_response(Gateway.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    Gateway.sent = []
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("DAOYI_SMS_URL", f"http://127.0.0.1:{server.server_port}/send")
    settings.cache_clear()
    yield Gateway
    server.shutdown()
    thread.join()
    server.server_close()
    monkeypatch.undo()
    settings.cache_clear()


def offered() -> str:
    """Let somebody who waits become the next; gives his chat."""
    made, (only,) = clinic()
    booking = book(only, *person())
    chat, who = person()
    with writing() as conn:
        conn.execute(update(patients).where(patients.c.id == who).values(phone="13900000099"))
    join(made, chat, who)
    cancel(booking)
    return chat


def waiting_sms() -> int:
    with reading() as conn:
        return len(conn.execute(select(due.c.id).where(due.c.kind == "sms")).all())


def test_a_text_reaches_the_gateway(gateway):
    sms.send("13900000099", "您好")
    assert gateway.sent == [{"phone": "13900000099", "text": "您好"}]


@pytest.mark.parametrize("status", [400, 500])
def test_a_gateway_that_refuses_is_a_failure_without_phone_or_text(gateway, status):
    gateway.status = status
    with pytest.raises(sms.SmsFailed) as caught:
        sms.send("13900000099", "验证码123456")
    assert "139" not in str(caught.value)
    assert "123456" not in str(caught.value)


def test_an_offer_is_announced_by_sms_too_without_a_word_about_the_clinic(database, gateway):
    chat = offered()
    swept()
    assert len(notices_of(chat)) == 1
    assert gateway.sent == [
        {"phone": "13900000099", "text": "【示范医院】您登记的候补有消息了，请在10:30前打开智能客服页面选择。"}
    ]
    swept(MONDAY + 5 * MINUTE)
    assert len(gateway.sent) == 1
    with reading() as conn:
        assert "read" in set(conn.execute(select(audit.c.action).where(audit.c.actor == "system:sms")).scalars())


def test_without_a_gateway_no_sms_is_even_planned(database):
    offered()
    swept()
    assert waiting_sms() == 0


def test_a_gateway_that_is_down_for_a_minute_gets_it_later(database, gateway):
    gateway.status = 500
    chat = offered()
    swept()
    assert (len(notices_of(chat)), len(gateway.sent), waiting_sms()) == (1, 0, 1)
    gateway.status = 200
    swept(MONDAY + 2 * MINUTE)
    assert (len(gateway.sent), waiting_sms()) == (1, 0)


def test_an_offer_that_is_over_is_not_announced_any_more(database, gateway):
    gateway.status = 500
    offered()
    swept()
    gateway.status = 200
    swept(MONDAY + 31 * MINUTE)
    assert (gateway.sent, waiting_sms()) == ([], 0)
    with reading() as conn:
        assert conn.execute(select(incidents.c.id)).all() == []
