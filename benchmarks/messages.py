"""What is sent: questions with a fixed answer, and look-ups of a schedule. Each with words the right answer holds."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A message and what its answer must contain; `action` tells a look-up from a fixed answer."""

    text: str
    expects: str
    action: bool


_FIXED = (
    ("停车怎么收费", "停车"),
    ("几点放号", "放出第14天"),
    ("医院地址在哪里", "门诊楼南门"),
    ("住院探视时间是几点到几点", "探视时间"),
    ("电子发票在哪里打印", "发票"),
    ("怎么复印病历", "病案室"),
    ("可以借轮椅吗", "轮椅"),
    ("检查报告在哪里查", "报告"),
    ("看病要带什么证件", "看病请带"),
    ("医院有免费无线网吗", "WiFi"),
    ("可以借雨伞吗", "雨伞"),
    ("行李可以寄存吗", "寄存"),
)
_SCHEDULE = ("心内科", "骨科", "消化内科", "神经内科", "妇科", "眼科", "皮肤科", "呼吸科")

FIXED = tuple(Question(text, expects, False) for text, expects in _FIXED)
LOOK_UPS = tuple(Question(f"{department}下周谁出诊", "出诊情况", True) for department in _SCHEDULE)
ACTION_SHARE = 4  # in a mix every fourth message is a look-up


def series(kind: str, count: int) -> list[Question]:
    """Give `count` questions in a fixed order: "utter", "action", or "mix"."""
    if kind == "mix":
        fixed, look_ups = series("utter", count), series("action", count)
        mixed = [look_ups[i] if i % ACTION_SHARE == ACTION_SHARE - 1 else fixed[i] for i in range(count)]
        random.Random(7).shuffle(mixed)
        return mixed
    pool = {"utter": FIXED, "action": LOOK_UPS}[kind]
    return [pool[i % len(pool)] for i in range(count)]
