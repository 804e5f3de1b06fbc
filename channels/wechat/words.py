"""What the channel itself says. Everything else comes from the dialogue."""

from bot.conversations.inbound import MAX_CHARACTERS
from bot.hospital.load import load_hospital
from bot.language.script import is_traditional, to_traditional
from bot.safety.signs import Finding, notice
from bot.web.errors import BUSY
from channels.wechat.replies import addresses, plain

SENT = {  # what a patient sent besides text, as the desk reads it
    "image": "（图片）",
    "voice": "（语音）",
    "video": "（视频）",
    "shortvideo": "（视频）",
    "location": "（位置）",
    "link": "（链接）",
}
UNSEEN = "（图片没有取到）"  # too large, of another kind, or no longer kept by WeChat
ASKS = {  # R33: what we cannot read is asked for in words
    "image": "图片已经为您保存，可以转给人工客服。我暂时只能看懂文字，麻烦您用文字告诉我想办的事情，好吗？",
    "unseen": "图片已经收到。我暂时只能看懂文字，麻烦您用文字告诉我想办的事情，好吗？",
    "voice": "语音已经收到。我暂时只能看懂文字，麻烦您用文字告诉我，好吗？您也可以回复“转人工”，由人工客服为您服务。",
    "video": "视频已经收到。我暂时只能看懂文字，麻烦您用文字告诉我想办的事情，好吗？",
    "shortvideo": "视频已经收到。我暂时只能看懂文字，麻烦您用文字告诉我想办的事情，好吗？",
    "location": "位置已经收到。我们医院的地址是：{address}。{transit}请问还有什么可以帮到您？",
    "link": "链接已经收到。我暂时只能看懂文字，麻烦您用文字告诉我想办的事情，好吗？",
}
EMPTY = "我还没有看到文字内容，麻烦您再发一次，好吗？"
TOO_LONG = f"您发的内容超过{MAX_CHARACTERS}字了，请分成几段发给我，我会接着为您看。"
TOO_FAST = "您发送得有点快，请稍等一会儿再发。如果情况紧急，请直接拨打120。"
NOT_TAKEN = BUSY[1]
WAITING = "正在为您查询，请稍等几秒，然后回复 1 查看。"
MORE = "\n\n（请回复 1 查看后面的内容）"
GONE = "（患者已取消关注公众号）"


def greeting() -> str:
    """Give the first words after somebody has followed the account (R13; an AI by law, B6)."""
    info = load_hospital().info
    return (
        f"您好，我是{info.service_name}（人工智能助手）。请问有什么可以帮到您？\n"
        "您可以直接用文字提问，例如：我想预约挂号、核磁共振多少钱、居民医保住院能报多少。\n"
        f"如果情况紧急，请直接拨打120，或拨打我院急诊 {info.phones['emergency']}。"
    )


def asked(kind: str) -> str:
    """Give the kind request for text after a message of another kind; "unseen" after a picture that we do not have."""
    info = load_hospital().info
    return ASKS[kind].format(address=info.address, transit=f"{info.transit.rstrip('。')}。" if info.transit else "")


def danger(finding: Finding, text: str) -> str:
    """Give the fixed text for a danger sign with the numbers to call, in the patient's script."""
    info = load_hospital().info
    warning = notice(finding, info.name, info.phones["emergency"])
    said = plain("\n\n".join([warning.text, *addresses(warning.text, warning.buttons)]))
    return to_traditional(said, (info.name,)) if is_traditional(text) else said
