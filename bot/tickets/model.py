"""What a ticket is: kinds, two-level types, levels of authority, the table of states. No SQL, no clock (R49-R73)."""

import re
from dataclasses import dataclass

from bot.errors import DaoyiError

KINDS = {
    "complaint": "投诉",
    "suggestion": "建议",
    "praise": "表扬",
    "referral": "转诊",
    "privacy": "个人信息请求",
    "review": "信息核对",
    "message": "留言",
    "death": "停止回访",
    "incident": "突发事件",
}
PREFIX = {
    "complaint": "TS",
    "suggestion": "JY",
    "praise": "BY",
    "referral": "ZZ",
    "privacy": "YS",
    "review": "HD",
    "message": "LY",
    "death": "HF",
    "incident": "SJ",
}
SUBJECTS = {  # what a patient reads for a kind
    **KINDS,
    "privacy": "个人信息申请",
    "referral": "转诊申请",
    "death": "告知",
    "incident": "反映的情况",
}
ENTERED = ("complaint", "suggestion", "praise", "referral", "message", "incident")  # kinds that staff may enter
TYPES = {
    "attitude": "服务态度",
    "waiting": "等候与流程",
    "fee": "收费",
    "quality": "医疗质量",
    "environment": "环境与设施",
    "privacy": "隐私保护",
    "ethics": "行风廉洁",
    "system": "预约与信息系统",
    "other": "其他",
}
SUBTYPES = {
    "attitude": {"rude": "言语生硬", "ignored": "不予理睬", "shirking": "推诿", "unexplained": "解释不足"},
    "waiting": {"queue": "候诊时间长", "exam": "检查排队长", "stopped": "停诊或改期", "moving": "流程往返多"},
    "fee": {"wrong": "收费有误", "unclear": "清单看不懂", "refund": "退费慢", "insurance": "医保结算"},
    "quality": {"diagnosis": "诊断", "medication": "用药", "surgery": "手术", "infection": "院感", "nursing": "护理"},
    "environment": {"clean": "卫生", "facility": "设施", "noise": "噪声", "food": "餐饮", "parking": "停车"},
    "privacy": {"leak": "信息泄露", "exposed": "就诊时缺少遮挡", "record": "病历管理"},
    "ethics": {"gift": "收受财物", "kickback": "指定外购", "favour": "插队照顾"},
    "system": {"booking": "预约系统", "payment": "支付", "report": "报告查询", "machine": "自助机"},
    "other": {},
}
CHANNELS = {
    "web": "网页",
    "wechat": "微信",
    "phone": "电话",
    "visit": "来访",
    "email": "邮件",
    "app": "医院客户端",
    "terminal": "终端",
}
ENTERED_BY = ("phone", "visit", "email", "app", "web", "wechat")
STATES = {  # in the patient's words
    "draft": "待您确认",
    "confirmed": "已登记，等待处理",
    "assigned": "已转给负责人",
    "investigating": "正在调查处理",
    "answered": "已有处理意见，正在向您反馈",
    "feedback": "处理结果已告知您",
    "closed": "已办结",
    "withdrawn": "已撤回",
}
OPEN = ("confirmed", "assigned", "investigating")  # sent and not yet answered
UNDONE = (*OPEN, "answered", "feedback")  # somebody still has to do something
SEVERITIES = {"normal": "一般", "serious": "较重", "major": "重大"}
URGENCIES = {"normal": "普通", "high": "紧急"}
LINK_KINDS = {"related": "相关", "duplicate": "重复", "follow_up": "后续"}
TASK_KINDS = {"investigate": "协助调查", "meeting": "联席会议"}
# Medical quality goes to quality control at once (R67); everything else starts with the service centre.
ROUTES = {"quality": "quality", "ethics": "discipline", "privacy": "privacy"}
ROUTE_NAMES = {
    "service": "客服中心",
    "quality": "质量控制科",
    "discipline": "纪检监察室",
    "privacy": "信息与隐私保护办公室",
    "referral": "转诊办公室",
}
ANSWERED_BY = {
    "service": "医患关系办公室",
    "quality": "质量控制科",
    "discipline": "纪检监察室",
    "privacy": "信息与隐私保护办公室",
}
LEVELS = {"service": "客服", "supervisor": "主管", "director": "院办"}
RANK = {level: rank for rank, level in enumerate(LEVELS)}
LEVEL_OF_ROLE = {"agent": "service", "supervisor": "supervisor", "quality": "supervisor", "director": "director"}
BY_TYPE = {"quality": "supervisor", "privacy": "supervisor", "ethics": "director"}
BY_SEVERITY = {"serious": "supervisor", "major": "director"}
SUPERVISORS_LIMIT = 500_00  # fen that a supervisor may agree to; more is the director's (R66, a hospital may set less)
REPEATED = 3  # complaints of one department in a month that call for a change of its ways (R71)

# Words that mean medical quality, whatever was ticked (R67).
QUALITY = re.compile(
    r"误诊|漏诊|打错|用错药|开错药|发错药|拿错药|输错|药(打|用|发|开|拿)错|手术(失败|做坏|做错|出了?问题|留)|感染了|弄坏|做坏|治坏|残疾|医疗事故|"
    r"死了|去世|过世|离世|人没了|害死|治死|医死"
)
# Words of dispute: the lawful ways are named neutrally (医疗纠纷预防和处理条例 art. 22, 23).
DISPUTE = re.compile(
    r"打官司|起诉|律师|法院|法庭|上告|告你们|告你|告医院|卫健委|曝光|媒体|赔偿|赔钱|医闹|索赔|維權|维权|封存|封病历|医疗鉴定"
)
DISPUTE_WAYS = (
    "您可以选择的途径有：与医院协商、向医疗纠纷人民调解委员会申请调解、向卫生健康部门申请行政调解、向法院提起诉讼。"
    "需要封存或复印病历时，请患者本人或近亲属带身份证和关系证明到医患关系办公室办理，封存和启封都由双方在场、一起签字。"
)


class NotAllowed(DaoyiError):
    """A deed is refused; `code` is for programs, the text tells the person what to do."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Step:
    """One row of the state machine. `ends` None: the state stays. `level` None: the ticket's own, "" any."""

    name: str
    starts: tuple[str, ...]
    ends: str | None
    needs: tuple[str, ...]
    level: str | None = None


STEPS = {
    step.name: step
    for step in (
        Step("assign", OPEN, "assigned", ("to",)),
        Step("investigate", ("assigned",), "investigating", ("investigator",)),
        Step("answer", ("assigned", "investigating"), "answered", ("findings",)),
        Step("feedback", ("answered",), "feedback", ("result",)),
        Step("close", ("feedback",), "closed", ("lesson",)),
        Step("reopen", ("feedback", "closed"), "confirmed", ("reason",), ""),
        Step("withdraw", OPEN, "withdrawn", ("reason",), ""),
        Step("escalate", (*OPEN, "answered"), None, ("reason",), ""),
        Step("extend", OPEN, None, ("reason",), "supervisor"),
    )
}
STEP_NAMES = {
    "assign": "分派",
    "investigate": "开始调查",
    "answer": "形成处理意见",
    "feedback": "反馈患者",
    "close": "办结",
    "reopen": "重新办理",
    "withdraw": "撤回",
    "escalate": "上报上一级",
    "extend": "转为多部门办理",
}


def route_of(kind: str, type_: str | None) -> str:
    """Give the office that answers."""
    if kind in ("referral", "privacy"):
        return kind
    return ROUTES.get(type_ or "", "service")


def level_of(kind: str, type_: str | None, severity: str, amount: int | None) -> str:
    """Give the lowest level that may decide: by type, by severity, by the sum asked for in fen (R66, R87)."""
    wanted = [BY_TYPE.get(type_ or "", "service"), BY_SEVERITY.get(severity, "service"), level_for_sum(amount or 0)]
    if kind == "incident":
        wanted.append("director")
    return max(wanted, key=RANK.__getitem__)


def level_for_sum(amount: int) -> str:
    """Give the level that may agree to a compensation of `amount` fen."""
    return "service" if amount <= 0 else "supervisor" if amount <= SUPERVISORS_LIMIT else "director"


def next_level(level: str) -> str:
    """Give the level above; the highest stays."""
    names = list(LEVELS)
    return names[min(RANK[level] + 1, len(names) - 1)]


def require_level(role: str, level: str) -> None:
    """Raise NotAllowed unless a role has at least this level."""
    if RANK.get(LEVEL_OF_ROLE.get(role, ""), -1) < RANK[level]:
        raise NotAllowed("needs_level", f"这一步需要{LEVELS[level]}权限，请先上报上一级。")


def require_step(name: str, state: str) -> Step:
    """Give a step that starts in this state. Raises NotAllowed."""
    step = STEPS.get(name)
    if step is None or state not in step.starts:
        raise NotAllowed("not_now", f"工单现在的状态是“{STATES[state]}”，请刷新后再看可以办理的下一步。")
    return step


def steps_for(role: str, state: str, level: str) -> list[str]:
    """Give the steps that a role may take now."""
    own = RANK.get(LEVEL_OF_ROLE.get(role, ""), -1)
    return [
        step.name
        for step in STEPS.values()
        if state in step.starts and own >= RANK.get(level if step.level is None else step.level, 0)
    ]
