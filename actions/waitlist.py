"""The waitlist (候补): registering for a full session, the places in line, leaving it, the answer to an offer."""

import re
from datetime import date

from actions import identity
from actions.phrasing import (
    clinic_text,
    clinic_title,
    day_text,
    department_text,
    doctor_text,
    moment_text,
    receipt_text,
)
from actions.talk import Talk, flow
from actions.wishes import today_of
from bot.appointments import service, waiting
from bot.appointments.model import Clinic, Duplicate, LimitReached, NotOffered, Taken, Waiting
from bot.clock import local
from bot.hospital.model import PERIODS
from bot.patients import access
from bot.storage.engine import reading, writing

IN_WORDS = re.compile(r"接受|放弃|放棄")


def join_if_wished(talk: Talk, clinic: Clinic, today: date) -> None:
    """Offer the waitlist of a full session and end there; comes back when the patient wishes another time."""
    join = talk.need(
        "waitlist",
        "utter_ask_waitlist",
        [{"title": "加入候补", "value": "join"}, {"title": "看看其他时间", "value": "other"}],
        clinic=clinic_title(clinic, today, True),
    )
    if join != "join":
        return
    patient = identity.verified(talk, "候补登记")
    shown = clinic_text(clinic, today)
    if not talk.agree(
        "confirmed", "utter_confirm_waitlist", yes="确认", no="不用了", patient=patient.shown_name, clinic=shown
    ):
        talk.say("utter_waitlist_not_joined")
        talk.end()
    with writing() as conn:
        place = waiting.join(conn, clinic.id, patient.id, talk.id, talk.now)
        talk.receipt(conn, f"候补登记成功\n就诊人：{patient.shown_name}\n{shown}\n排位：第{place}位")
    limits = service.rules()
    talk.say("utter_waitlisted", place=place, minutes=limits.offer_minutes, hours=limits.offer_hours_before)
    talk.end()


def in_line(talk: Talk) -> list[tuple[Waiting, int]]:
    """Give where the verified patient of this turn stands in line, with his places."""
    with reading() as conn:
        return waiting.of_patient(conn, talk.patient.id, talk.now)


def waiting_text(known: Waiting, place: int, today: date) -> str:
    """Give one place in line: 候补：明天上午 心血管内科 张建华主任医师，排在第2位."""
    day = day_text(known.day, today).split("（")[0]
    shown = f"候补：{day}{PERIODS[known.period]} {department_text(known.department)} {doctor_text(known.doctor)}"
    if known.stopped:
        return f"{shown}，目前停诊，位置为您保留"
    if known.state == "offered":
        return (
            f"{shown}，{local(known.starts_at):%H:%M}的号为您保留到{local(known.offered_until):%H:%M}，请在通知里选择"
        )
    return f"{shown}，排在第{place}位"


def leave(talk: Talk, known: Waiting, place: int) -> None:
    """Take the patient out of a line after a yes; ends."""
    shown = waiting_text(known, place, today_of(talk)).removeprefix("候补：")
    if not talk.agree("confirmed", "utter_confirm_leave_waitlist", yes="取消候补", no="继续候补", waiting=shown):
        talk.say("utter_waitlist_kept")
        talk.end()
    with writing() as conn:
        if waiting.leave(conn, known.id, "cancelled", talk.now):
            talk.receipt(conn, f"候补已取消\n{shown.split('，')[0]}")
    talk.say("utter_waitlist_left")
    talk.end()


def answered_in_words(talk: Talk) -> bool:
    """Take 接受 or 不要了 that answers no open question for the answer to an offer; False when there is none.

    A mere 好的 is asked back: it may belong to something else.
    """
    with reading() as conn:
        offer = waiting.offered_in(conn, talk.id, talk.now)
    if offer is None:
        return False
    facts = {"offer": offer.id}
    if IN_WORDS.search(talk.message.text):
        facts["accept"] = talk.message.label == "affirm"
    talk.task = {
        "name": "waitlist_offer",
        "facts": facts,
        "asked": None,
        "options": [],
        "asks": 0,
        "order": [],
        "misses": 0,
    }
    talk.run()
    return True


@flow("waitlist_offer", "候补的号", question=True)
def answer_offer(talk: Talk) -> None:
    """接受 or 放弃, tapped under an offer; whatever else was under way goes on afterwards."""
    with reading() as conn:
        offer = waiting.entry(conn, talk.fact("offer"))
        mine = offer is not None and offer.conversation_id == talk.id
        relation = access.relation(conn, talk.id, offer.patient_id) if mine else ""
    if not mine:
        talk.say("utter_offer_over")
        return
    if offer.state == "offered" and "accept" not in talk.facts:
        talk.agree(
            "accept",
            "utter_confirm_offer",
            yes="接受",
            no="放弃",
            clinic=f"{moment_text(offer.starts_at, today_of(talk))} {department_text(offer.department)} {doctor_text(offer.doctor)}",
            until=f"{local(offer.offered_until):%H:%M}",
        )
    if not talk.fact("accept"):
        with writing() as conn:
            gave_up = waiting.leave(conn, offer.id, "declined", talk.now) if offer.state == "offered" else False
        talk.say("utter_offer_declined" if gave_up else "utter_offer_over")
        return
    if offer.state == "offered":
        talk.facts.setdefault("relation", relation or "本人")
        patient = identity.verified(talk, "候补的号")  # asks again when the proof has expired since he registered
        if patient.id != offer.patient_id:
            talk.say("utter_offer_other_patient")
            return
    with writing() as conn:
        try:
            booking, new = waiting.accept(conn, offer.id, f"{talk.turn}:book", talk.now)
            refused = None
        except (NotOffered, Taken, Duplicate, LimitReached) as error:
            refused = error
        if refused is None and new:
            talk.receipt(conn, receipt_text(booking, patient.shown_name, today_of(talk), talk.now))
        elif isinstance(refused, (Duplicate, LimitReached)):
            waiting.leave(conn, offer.id, "declined", talk.now)
    if refused is None:
        talk.say("utter_offer_accepted", before=service.rules().lead_minutes)
    elif isinstance(refused, Duplicate):
        talk.say("utter_offer_duplicate", time=moment_text(refused.booking.starts_at, today_of(talk)))
    elif isinstance(refused, LimitReached):
        talk.say("utter_booking_limit", days=refused.days, limit=refused.limit)
    else:
        talk.say("utter_offer_over")
