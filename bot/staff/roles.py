"""Roles and what each may do at the desk (R8, R9). Pure data; docs/guides/desk-api.md shows the same table."""

ROLES = {
    "agent": "客服",
    "supervisor": "主管",
    "quality": "质控",
    "liaison": "科室联络员",
    "director": "院办",
    "trainer": "训练师",
    "admin": "管理员",
}
RIGHTS = {
    "sign_in": tuple(ROLES),
    "serve": ("agent", "supervisor"),
    "read_chats": ("agent", "supervisor", "quality", "director"),
    "see_all": ("supervisor",),
    "unmask": ("agent", "supervisor", "quality"),
    "tickets": ("agent", "supervisor", "quality", "liaison", "director"),
    "enter_tickets": ("agent", "supervisor", "quality", "director"),
    "answer_tasks": ("quality", "liaison"),
    "reports": ("supervisor", "quality", "director"),
    "clinics": ("supervisor", "director"),
    "colleagues": ("agent", "supervisor", "quality", "director", "admin"),
    "people": ("supervisor", "admin"),
    "accounts": ("admin",),
    "audit": ("director", "admin"),
    "train": ("trainer",),
}
DUTIES = {"manual": "自己接入", "auto": "自动分配", "break": "小休"}
SKILLS = {"general": "综合咨询", "booking": "预约挂号", "insurance": "费用与医保", "complaint": "投诉受理"}


def rights_of(role: str) -> list[str]:
    """Give the rights of a role, in the order of the table."""
    return [right for right, roles in RIGHTS.items() if role in roles]
