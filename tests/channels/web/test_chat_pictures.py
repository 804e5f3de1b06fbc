"""Pictures over the wire: who may send, how large and how often, and who may look."""

import io
import secrets

import httpx
import pytest
from PIL import Image

from bot.conversations.pictures import ASKED, MOST_BYTES
from channels.web.blueprint import PICTURES
from tests.channels.web.house import bearer


def drawn(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "green").save(out, kind)
    return out.getvalue()


def send(house, token: str | None, content: bytes, client_id: str = "", **headers) -> httpx.Response:
    query = {"client_id": client_id or secrets.token_hex(8)}
    given = {"content-type": "image/jpeg", **(bearer(token) if token else {}), **headers}
    return httpx.post(f"{house.url}/chat/pictures", content=content, params=query, headers=given, timeout=30)


def test_a_picture_stands_in_the_talk_and_only_its_session_sees_it(house):
    token = house.session()
    assert send(house, token, drawn(), "one").json() == {"seq": 1, "duplicate": False}
    assert send(house, token, drawn(), "one").json() == {"seq": 1, "duplicate": True}
    line, answer = house.lines(token)
    assert (line["sender"], line["client_id"], line["image"]["alt"]) == ("patient", "one", "患者发来的图片")
    assert (answer["sender"], answer["text"]) == ("system", ASKED)
    address = f"{house.url}/chat/images/{line['image']['token']}"
    shown = httpx.get(address, headers=bearer(token))
    assert shown.headers["content-type"] == "image/jpeg" and Image.open(io.BytesIO(shown.content)).size == (40, 20)
    assert httpx.get(address, headers=bearer(house.session())).status_code == 404
    assert httpx.get(address).status_code == 401


def test_its_kind_is_read_from_its_bytes_not_from_what_the_page_says(house):
    token = house.session()
    assert send(house, token, drawn("PNG"), **{"content-type": "text/plain"}).status_code == 200
    refused = send(house, token, b"GIF-no, <html>", **{"content-type": "image/gif"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_picture")
    assert len([line for line in house.lines(token) if line["sender"] == "patient"]) == 1


def test_one_byte_more_than_5_mb_is_refused(house):
    token = house.session()
    refused = send(house, token, b"\xff\xd8\xff" + b"\0" * (MOST_BYTES - 2))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")
    assert "5兆" in refused.json()["error"]["message"]
    assert house.lines(token) == []


def test_other_addresses_still_take_no_more_than_they_need(house):
    body = b'{"text": "' + b"a" * 300_000 + b'"}'
    answer = httpx.post(f"{house.url}/chat/messages", content=body, headers=bearer(house.session()))
    assert answer.status_code == 413


@pytest.mark.parametrize("client_id", ["a b", "", "x" * 65, "../x"])
def test_a_sending_needs_a_name(house, client_id):
    headers = {**bearer(house.session()), "content-type": "image/jpeg"}
    answer = httpx.post(f"{house.url}/chat/pictures?client_id={client_id}", content=drawn(), headers=headers)
    assert answer.status_code == 400


def test_a_stranger_and_a_page_of_another_site_send_nothing(house):
    assert send(house, None, drawn()).status_code == 401
    assert send(house, house.session(), drawn(), origin="https://evil.example").status_code == 403


def test_too_many_pictures_wait(house):
    token, most = house.session(), PICTURES[0]
    assert {send(house, token, drawn()).status_code for _ in range(most)} == {200}
    refused = send(house, token, drawn())
    assert refused.status_code == 429 and 0 < refused.json()["error"]["retry_after"] <= PICTURES[1] + 1
    assert house.send(token, "文字还可以发").status_code == 200
