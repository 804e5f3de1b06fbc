"""What the widget shows before anything was said: who we are (R13, and an AI by law, B6), first steps, hours."""

from datetime import datetime

from bot.conversations.inbound import MAX_CHARACTERS
from bot.hospital.hours import is_open
from bot.hospital.load import load_hospital
from bot.settings import settings

LEVELS = {"tertiary": "三级医院", "secondary": "二级医院", "primary": "一级医院"}
# Plain sentences that are sent as the patient's own.
SUGGESTIONS = (
    ("calendar", "预约挂号", "我想预约挂号"),
    ("doctor", "医生出诊", "明天有哪些医生出诊"),
    ("sign", "该挂哪个科", "头晕恶心挂什么科"),
    ("price", "检查价格", "核磁共振多少钱"),
    ("shield", "医保报销", "居民医保住院能报多少"),
    ("voice", "投诉与建议", "我要投诉"),
)


def clock_text(minutes: int) -> str:
    """Give a time of day as people write it: 7:30."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def hours_text(name: str) -> str:
    """Give the opening hours of a place of hospital.yml: 7:30-21:30."""
    spans = load_hospital().info.hours[name].spans
    return "、".join(f"{clock_text(start)}-{clock_text(end)}" for start, end in spans)


def welcome(now: datetime) -> dict:
    """Give the widget's first page. `banner` is None while people are on duty."""
    info = load_hospital().info
    on_duty = is_open("agents", now)
    hours = hours_text("agents")
    banner = None
    if not on_duty:
        banner = f"人工客服的服务时间是每天{hours}。现在由智能客服为您服务，也可以先留言，上班后尽快与您联系。"
    return {
        "hospital": info.name,
        "full_name": info.full_name,
        "level": LEVELS.get(info.level, info.level),
        "service": info.service_name,
        "greeting": f"您好，我是{info.service_name}（人工智能助手）。请问有什么可以帮到您？",
        "suggestions": [{"icon": icon, "title": title, "text": text} for icon, title, text in SUGGESTIONS],
        "phones": dict(info.phones),
        "address": info.address,
        "transit": info.transit,
        "agents": {"on_duty": on_duty, "hours": hours},
        "banner": banner,
        "notice": "回复由人工智能生成；诊断和用药请以医生意见为准。",
        "max_characters": MAX_CHARACTERS,
        "session_days": settings().session_days,
    }
