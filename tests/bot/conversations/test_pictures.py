"""Pictures that patients send: only what is seen is kept, once, encrypted, for people; gone with the words."""

import base64
import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select, text

from bot.conversations import erasure, holding, pictures
from bot.conversations.pictures import BadPicture
from bot.conversations.tables import images, inbox
from bot.language.lint import lint
from bot.storage.engine import reading, writing
from channels.web.messages import BAD_PICTURE
from tests.builders import MONDAY, conversation, lines_of, row_of, spoken, together

ORIENTATION, CAMERA, GPS = 0x0112, 0x0110, 0x8825


def drawn(kind: str = "JPEG", size: tuple[int, int] = (60, 30), **options) -> bytes:
    """Give a picture: its left half red, its right half blue."""
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def kept_of(chat: str) -> list[bytes]:
    with reading() as conn:
        rows = conn.execute(select(images.c.content).where(images.c.conversation_id == chat)).scalars()
        return [base64.b64decode(each) for each in rows]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_kind_becomes_a_jpeg_that_shows_the_same(kind):
    made = opened(pictures.made_anew(drawn(kind)))
    assert (made.format, made.size) == ("JPEG", (60, 30))
    (left, *_), (*_, right) = made.getpixel((5, 15)), made.getpixel((55, 15))
    assert left > 200 and right > 200


def test_where_and_with_what_it_was_taken_is_gone_and_it_stands_upright():
    exif = Image.Exif()
    exif[ORIENTATION], exif[CAMERA] = 6, "SecretPhone"  # 6: the telephone was held upright
    exif.get_ifd(GPS)[1] = "N"
    content = drawn(exif=exif.tobytes())
    assert b"SecretPhone" in content
    made = pictures.made_anew(content)
    assert b"SecretPhone" not in made and b"Exif" not in made
    assert not opened(made).getexif() and opened(made).size == (30, 60)


def test_a_script_behind_the_picture_is_left_out():
    made = pictures.made_anew(drawn() + b"<script>alert(1)</script>")
    assert b"<script>" not in made


def test_a_large_photograph_is_made_smaller_and_stays_legible():
    assert opened(pictures.made_anew(drawn(size=(4000, 3000)))).size == (2000, 1500)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7 ...",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff and then nothing of a picture",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        drawn("BMP"),
        drawn("TIFF"),
        drawn("PNG")[:60],
    ],
)
def test_what_is_no_picture_of_ours_is_refused(content):
    with pytest.raises(BadPicture):
        pictures.made_anew(content)


def test_a_small_file_that_unfolds_to_gigabytes_is_refused():
    bomb = drawn("PNG", size=(9000, 9000))
    assert len(bomb) < 400_000
    with pytest.raises(BadPicture):
        pictures.made_anew(bomb)


def test_the_bot_is_kind_about_it_and_does_not_read_it(database):
    chat = conversation()
    accepted = pictures.accept(chat, "p1", drawn(), MONDAY)
    assert (accepted.seq, accepted.duplicate) == (1, False)
    assert spoken(chat) == [("patient", pictures.SAID), ("system", pictures.ASKED)]
    assert lines_of(chat)[1].data == {"buttons": [{"title": "转人工"}]}
    assert row_of(chat).waiting_since is None  # no turn waits for it
    assert [opened(each).size for each in kept_of(chat)] == [(60, 30)]


@pytest.mark.parametrize(("holder", "said"), [("queue", [("system", pictures.KEPT)]), ("agent", [])])
def test_a_person_who_comes_or_is_there_just_sees_it(database, holder, said):
    chat = conversation()
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", MONDAY)
    if holder == "agent":
        holding.take(chat, 7, "王客服为您服务。", MONDAY)
    before = len(lines_of(chat))
    pictures.accept(chat, "p1", drawn(), MONDAY)
    assert spoken(chat)[before:] == [("patient", pictures.SAID), *said]


def test_the_same_sending_is_stored_once_however_often_it_comes(database):
    chat = conversation()
    accepted = together([lambda: pictures.accept(chat, "p1", drawn(), MONDAY)] * 6)
    assert {each.seq for each in accepted} == {1}
    assert sorted(each.duplicate for each in accepted) == [False] + [True] * 5
    assert len(kept_of(chat)) == 1
    with reading() as conn:
        assert [row.kind for row in conn.execute(select(inbox))] == ["picture"]


def test_it_lies_encrypted_in_the_database(database):
    chat = conversation()
    pictures.accept(chat, "p1", drawn(), MONDAY)
    with reading() as conn:
        stored = bytes(conn.execute(text("SELECT content FROM images")).scalar_one())
    assert base64.b64encode(kept_of(chat)[0])[:40] not in stored


def test_erasing_the_talk_erases_the_picture(database):
    chat = conversation()
    pictures.accept(chat, "p1", drawn(), MONDAY)
    with writing() as conn:
        erasure.erase(conn, [chat], MONDAY)
    assert kept_of(chat) == [] and [line.data for line in lines_of(chat)] == [None, None]


def test_a_picture_is_not_kept_longer_than_words_even_where_nothing_else_was_said(database):
    chat, fresh = conversation(), conversation()
    pictures.accept(chat, "p1", drawn(), MONDAY)
    pictures.accept(fresh, "p1", drawn(), MONDAY + timedelta(days=2))
    with writing() as conn:
        assert erasure.erase_old(conn, MONDAY + timedelta(days=31), 30) == 1
    assert kept_of(chat) == [] and len(kept_of(fresh)) == 1
    with writing() as conn:
        assert erasure.erase_old(conn, MONDAY + timedelta(days=31), 30) == 0


def test_what_is_said_about_pictures_keeps_the_language_rules():
    said = (pictures.ASKED, pictures.KEPT, BAD_PICTURE)
    assert [found for words in said for found in lint(words, bereaved_or_complaint=True)] == []
