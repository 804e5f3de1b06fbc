"""My data: export or erase, after the identity check (PIPL art. 44-47; what the law keeps loses the identity)."""

import re

from actions import identity, told
from actions.phrasing import booking_text
from actions.talk import Talk, Waiting, flow
from actions.wishes import today_of
from bot.appointments import service as appointments
from bot.conversations import erasure as conversations_erasure
from bot.patients import erasure
from bot.storage.engine import reading, writing
from bot.tickets import service as tickets
from bot.tickets.model import KINDS

HUMAN = {"title": "转人工", "payload": "/request_human"}
COMPLAINT = re.compile(r"投诉|举报|工单")
WISHES = [
    {"title": "导出我的信息", "value": "export"},
    {"title": "删除我的信息", "value": "erase"},
    {"title": "撤回授权", "value": "withdraw"},
]
WORDS = (
    ("export", ("导出", "查看", "看看", "看一下", "有哪些", "调出", "下载", "複製", "副本")),
    ("withdraw", ("撤回", "撤销", "收回", "取消授权", "不同意")),
    ("erase", ("删", "刪", "注销", "清除", "抹掉", "销毁", "清空")),
)


@flow("privacy_request", "个人信息请求")
def privacy_request(talk: Talk) -> None:
    """See, export, erase, or withdraw the consent."""
    if "wish" not in talk.facts and not talk.message.button:
        if COMPLAINT.search(talk.message.text) and told.withdrawal(talk.message.text) is not None:
            talk.task = None
            talk.start("withdraw_ticket")  # 撤回投诉 is about a ticket, not about the consent
            raise Waiting
        said = next((k for k, words in WORDS if any(w in talk.message.text for w in words)), None)
        if said:
            talk.facts["wish"] = said
    wish = talk.need("wish", "utter_ask_privacy_wish", WISHES)
    with reading() as conn:
        erased = tickets.filed(conn, f"{talk.turn}:erase")
    if erased:  # a replay of the turn that erased: there is nobody left to verify
        talk.say("utter_privacy_erased")
        return
    patient = identity.verified(talk, "个人信息请求")
    {"export": _export, "erase": _erase, "withdraw": _withdraw}[wish](talk, patient)


def _export(talk: Talk, patient) -> None:
    today = today_of(talk)
    with writing() as conn:
        facts = erasure.export(conn, talk.id, patient.id, talk.now)
        booked = appointments.of_patient(conn, patient.id, talk.now)
        filed = tickets.of_patient(conn, patient.id)
        rows = [f"{name}：{value}" for name, value in facts]
        rows += [f"预约：{booking_text(b, today)}，{b.number}" for b in booked]
        rows += [f"工单：{t.number}，{KINDS[t.kind]}，{t.state_name}" for t in filed]
        talk.receipt(conn, "本系统保存的您的信息\n" + "\n".join(rows))
    talk.say("utter_privacy_exported")


def _erase(talk: Talk, patient) -> None:
    with reading() as conn:
        booked = appointments.of_patient(conn, patient.id, talk.now)
    if not talk.agree("confirmed", "utter_confirm_erase", yes="确认删除", no="保留", bookings=len(booked)):
        talk.say("utter_kept_data")
        return
    with writing() as conn:
        ticket = tickets.file(
            conn, talk.id, "privacy", {"event": "删除个人信息"}, talk.now, "web", key=f"{talk.turn}:erase"
        )
        tickets.forget_identity(conn, patient.id, talk.id)
        conversations_erasure.erase(conn, patient_conversations(conn, patient.id, talk.id), talk.now)
        erasure.erase(conn, talk.id, patient.id, talk.now)
        talk.receipt(conn, f"个人信息删除完成，受理编号：{ticket.number}。依照法律须保留的业务记录已去除身份信息。")
    talk.memory = {k: talk.memory[k] for k in ("script", "elder") if k in talk.memory}
    talk.say("utter_privacy_erased")


def patient_conversations(conn, patient_id: int, own: str) -> list[str]:
    """Give the conversations that have verified this patient, the present one among them."""
    return sorted({own, *erasure.conversations_of(conn, patient_id)})


def _withdraw(talk: Talk, patient) -> None:
    with writing() as conn:
        erasure.withdraw_consent(conn, talk.id, talk.now)
    talk.say("utter_consent_withdrawn")
