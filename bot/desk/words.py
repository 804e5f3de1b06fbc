"""What the bot has gathered, in the words of the people who answer: tasks, facts, intents, reasons. Pure."""

from datetime import date

from bot.clock import local
from bot.hospital.load import load_hospital
from bot.hospital.model import PERIODS, SLOT_CLASSES, TITLES
from bot.patients.masking import mask
from bot.safety import table as signs
from bot.tickets.model import TYPES

TASKS = {
    "book_appointment": "预约挂号",
    "query_schedule": "出诊与号源查询",
    "query_my_appointments": "我的预约",
    "cancel_appointment": "退号",
    "reschedule_appointment": "改约",
    "waitlist_offer": "候补的号",
    "query_price": "价格查询",
    "query_bill": "费用查询",
    "estimate_reimbursement": "医保报销估算",
    "query_insurance_policy": "医保政策查询",
    "check_insurance_coverage": "医保目录查询",
    "complaint": "投诉登记",
    "track_ticket": "查询处理进度",
    "withdraw_ticket": "撤回投诉",
    "suggestion": "提出建议",
    "praise": "表扬",
    "find_department": "导诊",
    "query_doctor": "医生介绍",
    "request_referral": "转诊申请",
    "privacy_request": "个人信息请求",
    "leave_message": "留言",
    "resume": "继续刚才的事",
    "later": "另一个问题",
    "faq": "常见问题",
}
INTENTS = {
    **TASKS,
    "request_human": "转人工",
    "emergency": "紧急情况",
    "ask_medical_advice": "诊断或用药咨询",
    "report_death": "告知患者离世",
    "decline": "请勿打扰",
    "greet": "问候",
    "goodbye": "告别",
    "thanks": "致谢",
    "affirm": "肯定",
    "deny": "否定",
    "apologize": "致歉",
    "inform": "补充信息",
    "stop": "放弃办理",
    "go_back": "返回上一步",
    "repeat": "请求重复",
    "ask_capabilities": "询问能办什么",
    "bot_challenge": "询问是不是真人",
    "abuse": "不文明用语",
    "chitchat": "闲聊",
    "out_of_scope": "超出服务范围",
    "nlu_fallback": "没有把握",
}
# The keys of faq that people at the desk meet most; another key is shown as 常见问题.
FAQ = {
    "appointment_process": "挂号流程",
    "release_time": "放号时间",
    "what_to_bring": "就诊携带物品",
    "collect_ticket": "取号",
    "no_show": "爽约规定",
    "patient_card": "就诊卡",
    "online_booking_channels": "预约渠道",
    "outpatient_hours": "门诊时间",
    "emergency_hours": "急诊时间",
    "visiting_hours": "探视时间",
    "hospital_address": "医院地址",
    "parking": "停车",
    "department_location": "科室位置",
    "report_query": "报告查询",
    "medical_record_copy": "病历复印",
    "sick_leave_certificate": "病假证明",
    "admission_procedure": "入院手续",
    "discharge_procedure": "出院手续",
    "accompany": "陪护",
    "meals": "订餐",
    "inpatient_deposit": "住院押金",
    "payment_methods": "支付方式",
    "refund_process": "退费流程",
    "invoice": "发票",
    "self_pay_items": "自费项目",
    "insurance_eligible_hospital": "定点医院",
    "insurance_e_card": "医保电子凭证",
    "remote_filing": "异地备案",
    "chronic_disease": "门诊慢特病",
    "family_mutual_aid": "家庭共济",
    "commercial_claim": "商业保险理赔",
    "referral_process": "转诊流程",
    "inpatient_insurance_procedure": "住院医保手续",
    "green_channel": "绿色通道",
    "emergency_process": "急诊流程",
    "ambulance": "救护车",
    "exam_preparation": "检查准备",
    "checkup": "体检",
    "vaccination": "疫苗接种",
    "internet_hospital": "互联网医院",
    "blood_donation": "献血",
    "wheelchair": "轮椅",
    "locker": "寄存",
    "printing": "打印复印",
    "umbrella": "雨伞",
    "hot_water": "热水",
    "lost_and_found": "失物招领",
    "wifi": "无线网络",
    "escort": "陪诊",
    "courier_report": "邮寄报告",
    "complaint_channels": "投诉渠道",
    "privacy_policy": "隐私说明",
    "waitlist": "候补",
    "stop_clinic": "停诊",
    "dispute_channels": "纠纷处理途径",
    "insurance_stamp": "医保盖章",
    "taxi": "约车",
    "amenities": "便民服务",
    "water_card": "水控卡",
    "lodging": "住宿",
    "senior_priority": "老年人优先",
}
FACTS = {
    "relation": "为谁办理",
    "department": "科室",
    "doctor": "医生",
    "doctor_title": "号别",
    "date": "日期",
    "period": "时段",
    "symptom": "症状",
    "symptom_said": "症状描述",
    "body_part": "部位",
    "insurance_type": "险种",
    "employment": "在职情况",
    "hospital_level": "医院级别",
    "care_setting": "就诊方式",
    "fee_item": "项目",
    "amount": "金额（元）",
    "total": "总费用（元）",
    "type": "投诉类型",
    "event": "事情经过",
    "departments": "涉及科室",
    "place_time": "时间地点",
    "staff": "涉及人员",
    "demand": "诉求",
    "content": "内容",
    "condition": "转诊情况",
    "direction": "转诊方向",
    "hospital_other": "对方医院",
    "wish": "要求",
    "contact": "联系方式",
    "booking": "预约单",
    "ticket_id": "工单编号",
    "person_name": "姓名",
    "id_number": "证件号",
    "phone": "手机号",
    "card_number": "卡号",
    "code": "验证码",
    "confirmed": "患者确认",
}
ENTITIES = {**FACTS, "ordinal": "第几个"}
QUESTIONS = {
    **FACTS,
    "opening": "就诊时间",
    "session": "门诊场次",
    "resume": "是否继续",
    "later": "是否继续",
    "consent": "授权同意",
}
IDENTIFYING = ("person_name", "id_number", "phone", "card_number", "code")
CODES = {
    "insurance_type": {
        "employee": "职工医保",
        "employee_retired": "退休职工医保",
        "resident": "城乡居民医保",
        "student_child": "学生儿童医保",
        "retired_cadre": "离休",
        "maternity": "生育保险",
        "work_injury": "工伤保险",
        "commercial": "商业保险",
        "none": "自费",
    },
    "hospital_level": {"tertiary": "三级", "secondary": "二级", "primary": "一级及社区"},
    "care_setting": {"outpatient": "门诊", "inpatient": "住院", "emergency": "急诊", "chronic": "门诊慢特病"},
    "doctor_title": {**TITLES, **SLOT_CLASSES},
    "period": dict(PERIODS),
    "type": TYPES,
    "wish": {"export": "导出信息", "erase": "删除信息", "withdraw": "撤回授权"},
    "contact": {"anonymous": "匿名"},
    "confirmed": {"yes": "已确认", "no": "先不提交", "more": "要补充"},
    "employment": {"retired": "退休", "working": "在职", "employed": "在职"},
}
SEXES = {"male": "男", "female": "女"}
CHANNELS = {"web": "网页", "wechat": "微信", "terminal": "终端"}
SENDERS = {"patient": "患者", "bot": "智能客服", "agent": "人工客服", "system": "系统"}
WEEKDAYS = "一二三四五六日"
LONGEST = 200  # characters of one fact in the panel


def intent_name(label: str) -> str:
    """Give an intent in Chinese: faq/parking is 常见问题·停车."""
    base, _, key = label.partition("/")
    name = INTENTS.get(base, "其他")
    detail = {"faq": FAQ, "complaint": TYPES}.get(base, {}).get(key)
    return f"{name}·{detail}" if detail else name


def danger_name(code: str | None) -> str:
    """Give the group of danger signs in Chinese; an unknown code is 其他危险信号."""
    return next((group.name for group in signs.load().groups if group.code == code), "其他危险信号")


def reason_text(reason: str | None) -> str:
    """Give why a conversation waits, with the code of a danger sign turned into its name."""
    head, colon, code = (reason or "患者要求人工").partition("危险信号：")
    return f"{head}{colon}{danger_name(code)}" if colon else head


def facts_of(task: dict | None) -> list[dict]:
    """Give the known facts of a task as [{"name", "value"}] in the order of FACTS; what has no name is left out."""
    facts = (task or {}).get("facts") or {}
    found = []
    for key, name in FACTS.items():
        value = facts.get(key)
        if value in (None, "", [], {}):
            continue
        shown = value_text(key, value)
        if shown:
            found.append({"name": name, "value": shown})
    return found


def value_text(key: str, value) -> str:
    """Give one fact in Chinese. What identifies a person is only said to be there."""
    if key in IDENTIFYING:
        return "已提供" if value is True or isinstance(value, str) else ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dict):
        value = value.get("text") or ""
    if isinstance(value, list):
        return "、".join(shown for each in value if (shown := value_text(key, each)))
    text = str(value)
    known = _code_text(key, text)
    return known if known is not None else mask(text).text[:LONGEST]


def _code_text(key: str, text: str) -> str | None:
    hospital = load_hospital()
    if key in ("department", "departments") and text in hospital.departments:
        return hospital.departments[text].name
    if key == "doctor" and text in hospital.doctors:
        doctor = hospital.doctors[text]
        return f"{doctor.name}{doctor.title_name}"
    if key == "date":
        return _span_text(text)
    if key == "period" and "/" in text:
        start, _, end = text.partition("/")
        return f"{start or '00:00'}—{end or '24:00'}"
    if key == "fee_item" and text in hospital.prices:
        return hospital.prices[text].name
    return CODES.get(key, {}).get(text)


def _span_text(text: str) -> str | None:
    try:
        days = [date.fromisoformat(part[:10]) for part in text.split("/")]
    except ValueError:
        return None
    return "至".join(f"{day.month}月{day.day}日周{WEEKDAYS[day.weekday()]}" for day in dict.fromkeys(days))


def moment_text(moment) -> str:
    """Give 12月8日周二 17:30 in the hospital's time."""
    shown = local(moment)
    return f"{shown.month}月{shown.day}日周{WEEKDAYS[shown.weekday()]} {shown:%H:%M}"
