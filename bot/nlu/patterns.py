"""Entities that have a form: numbers that identify (recognised outright) and hints for dates, times, money, doctors.

The web process masks identifying numbers before the NLU sees them (138****8000, 110***********0015, ****1234); the
masked form is the same entity. Patterns read normalised lower-case text.
"""

import re
from dataclasses import dataclass

from id_validator import validator

_NOT_IN_NUMBER = r"(?<![\d*a-z])"
_NO_MORE_NUMBER = r"(?![\d*])"

_TICKET = re.compile(  # ours is ts20261103-0007; of other houses any letters with numbers, or a number said to be one
    r"(?<![a-z\d])[a-z]{1,4}-?(?!1[3-9]\d{9}(?!\d))(?:20\d{6}[- ]?\d{1,7}|\d{2,8}(?:-\d{2,7})+|\d{5,14})(?!\d)|"
    r"(?:(?<=单号)|(?<=编号)|(?<=工单)|(?<=单号是)|(?<=单号:)|(?<=单号为)|(?<=编号是)|(?<=编号:)|(?<=工单号码))"
    r"\d{4,14}(?:-\d{1,7})?(?!\d)",
    re.I,
)
_ID_NUMBER = re.compile(rf"{_NOT_IN_NUMBER}(?:\d{{17}}[\dx]|\d{{3}}\*{{11}}\d{{3}}[\dx]){_NO_MORE_NUMBER}", re.I)
_PHONE = re.compile(
    rf"{_NOT_IN_NUMBER}(?:\+?86[- ]?)?"
    rf"(?:1[3-9]\d{{9}}|1[3-9]\d[- ]\d{{4}}[- ]\d{{4}}|1[3-9]\d\*{{4}}\d{{4}}){_NO_MORE_NUMBER}"
)
_LANDLINE = re.compile(rf"{_NOT_IN_NUMBER}0\d{{2,3}}[- ]\d{{7,8}}{_NO_MORE_NUMBER}")
_CARD = re.compile(  # eight digits that begin with 20 are a day, eighteen an ID number
    rf"{_NOT_IN_NUMBER}(?:\*{{2,}}\d{{4}}|(?!20\d{{6}}(?!\d))\d{{8,10}}|\d{{12,17}}|\d{{19}}){_NO_MORE_NUMBER}"
)

_DIGIT = "[0-9零〇一二两三四五六七八九十百]"
_DAY = (
    "今天|今日|今儿|明天|明日|明儿|听日|后天|后日|后儿|大后天|昨天|昨日|昨儿|寻日|前天|前日|大前天|当天|"
    "(?:这|本|下|下下|上|上上)?(?:个)?(?:周|星期|礼拜)[一二三四五六日天末]|(?:这|本|下|下下|上|上上)(?:个)?(?:周|星期|礼拜|月)|"
    f"(?:(?:今年|明年|去年|{_DIGIT}{{2,4}}年)?(?:{_DIGIT}{{1,3}}月|下个?月|这个?月|本月|上个?月)(?:{_DIGIT}{{1,3}}[号日]|[初中底末])?)|"
    rf"{_DIGIT}{{1,3}}[号日](?!楼|线|窗|机|诊)|月初|月底|月中|周末|"
    r"20\d\d[-/.]\d{1,2}[-/.]\d{1,2}|(?<![\d.])\d{1,2}[./]\d{1,2}(?![\d.])|"
    "元旦|春节|过年|清明|五一|端午|中秋|国庆|十一|节后|年前|年底|"
    f"{_DIGIT}{{1,3}}(?:天|个?星期|周|个?礼拜|个月)(?:之?[前后]|以[前后])"
)
_PART = "早上|上午|中午|下午|傍晚|晚上|凌晨|半夜"
_CLOCK = (
    f"(?:{_PART})?{_DIGIT}{{1,3}}(?:点钟?|[:：]\\d\\d)(?:半|一刻|三刻|{_DIGIT}{{1,3}}分?)?"
    "(?:以[前后]|之[前后]|左右|前|后)?"
)
_NUMBER = r"(?:\d+(?:[.,]\d+)*|[零〇一二两三四五六七八九十百千万半俩]+)"
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范彭郎鲁韦马苗方俞任袁柳"
    "鲍史唐费薛雷贺倪汤滕罗毕郝邬安常乐于傅齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄米贝明戴宋庞熊纪舒屈项祝董梁杜阮蓝闵席"
    "季贾江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万支柯管卢莫房解应丁宣邓洪包左石崔吉龚程邢裴陆荣翁甄曲封靳段焦侯宓"
    "全班仰秋仲伊宫宁仇甘厉祖武符刘景詹龙叶幸黎白蒲从鄂赖卓池乔谭申冉桑桂牛边温庄晏柴瞿连习艾容向古易廖耿匡文欧"
    "关游饶曾肖简涂丘尚岳覃"
)
_ROLE = (
    "护士长?|医生|大夫|医师|药师|技师|麻醉师|助产士|护工|保安|保洁|门卫|收费员|挂号员|工作人员|导诊员?|导医|志愿者|"
    "客服|接线员|司机|师傅|阿姨|大姐|大妈|大叔|大爷|小伙子?|小姑娘|姑娘|小哥|妹子|妹妹|老师|学生|实习生|男的|女的|老头|的人|的"
)
_WHERE = (
    f"{_DIGIT}{{1,2}}(?:楼|号?窗口?|病区|区)|门口|前台|窗口|药房|收费处|挂号处|住院处|服务台|导诊台|分诊台|护士站|病房|诊室|"
    "大厅|食堂|电梯|停车场|输液室|抽血处?|采血处?|检验科|放射科|b超室|ct室|急诊|手术室|产房|科"
)
_BODY = (
    "头|脑袋|脑壳|眼睛?|眼皮|耳朵|鼻子|嘴巴?|舌头|牙龈|牙齿?|嗓子|喉咙|脖子|颈椎|肩膀?|胳膊|手臂|手指头?|手腕|手|胸口?|心口|乳房|肋骨|"
    "后背|背|腰|小?肚子?|小腹|下腹|胃|膝盖?|大腿|小腿|腿|脚踝|脚后跟|脚脖子|脚|关节|骨头|浑身|全身|身上|伤口|刀口|皮肤|屁股|肛门|脸|尿道"
)
_FEEL = "不舒服|难受|没劲|没力气|无力|抬不起来|动不了|动不得|睁不开|发[麻酸胀紧凉烫热黑软沉]|红肿|抽筋|[疼痛酸麻胀痒肿僵晕昏抽抖闷堵](?:得[^,.!? ]{1,5})?"
_COUNT = "零〇一二两三四五六七八九十百千万"
# A sum beyond doubt: digits or two numerals with a unit of money, or a number of 万. Not 一块 (together), not 三万人.
SUM = re.compile(
    rf"(?<![\d.,第{_COUNT}a-z])(?:\d+(?:[.,]\d+)*[万w千k]?|[一二两三四五六七八九十][{_COUNT}]+)(?:块钱|块|元|蚊)(?![\d{_COUNT}])|"
    rf"(?<![\d.,第{_COUNT}a-z])(?:\d+(?:\.\d+)?[万w]|[一二两三四五六七八九十]{{1,2}}万(?:[一二两三四五六七八九]千?)?)"
    rf"(?![\d{_COUNT}a-z]|多?[人次个名步字年])"
)
# What follows a number that is no sum: 三百度, 200 次, 26号.
COUNTED = re.compile(r" ?(?:度|次|米|公里|里[地路]|岁|人(?!民)|号|楼|层|天|小时|分钟|个|毫|片|斤|级|℃|%)")
IDENTIFIERS = frozenset({"ticket_id", "id_number", "phone", "card_number"})
HINTS = {
    "date": re.compile(_DAY),
    "period": re.compile(f"{_CLOCK}|{_PART}"),
    "amount": re.compile(rf"[¥$]{_NUMBER}|{_NUMBER}(?:多|来|几)?(?:块钱?|元|蚊|万|千|w|k|毛)(?:{_NUMBER})?"),
    "number": re.compile(_NUMBER),
    "ordinal": re.compile(
        rf"第{_DIGIT}{{1,3}}[个位种项条]?|(?:最后|最末|倒数第?)[一二]?[个位项条]?|[头首]一?[个位]|{_DIGIT}{{1,2}}[个位号]|"
        r"di (?:yi|er|san|si) ge|[前后]面?那?[个位]"
    ),
    "doctor": re.compile(rf"[{_SURNAMES}][一-鿿]{{0,2}}?(?:副?主任|医生|大夫|教授|专家|医师|院长)|[{_SURNAMES}][老]"),
    "person_name": re.compile(rf"(?:我叫|叫做|姓名|名字[是叫]?|本人)[:是 ]*([{_SURNAMES}][一-鿿]{{1,2}})"),
    "staff": re.compile(
        rf"(?:{_WHERE})(?:里头?|那边|那里|的)?(?:那|那个|那位|一个|一位|几个)?[^,.!? ]{{0,5}}?(?:{_ROLE})|"
        rf"(?:那个?|那位|这个?|这位|有个|有位)[^,.!? ]{{0,6}}?(?:{_ROLE})"
    ),
    "called": re.compile(
        rf"(?:患者|病人|家属|名字|姓名|我叫|叫|是|给|找)[:是 ]*[{_SURNAMES}][一-鿿]{{1,2}}(?=[,.!? 的\d]|$)"
    ),
    "symptom": re.compile(rf"(?:[左右]边?的?|两边)?(?:{_BODY})[^,.!?;\d]{{0,4}}?(?:{_FEEL})"),
    "degrees": re.compile(r"(?:3[5-9]|4[0-2])(?:\.\d)?(?:度|℃)?"),
}


@dataclass(frozen=True)
class Identifier:
    """A number that identifies somebody or something, [start, end) in the text that was read."""

    kind: str
    start: int
    end: int
    text: str


def is_id_number(text: str) -> bool:
    """Tell whether a text is a resident identity number: masked, or with the right check digit (GB 11643)."""
    return "*" in text or bool(validator.is_valid(text.upper()))


def identifiers(text: str) -> list[Identifier]:
    """Find phone, id_number, card_number and ticket_id in a normalised text, left to right, without overlap."""
    if not any(char.isdigit() for char in text):
        return []
    found: list[Identifier] = []
    for kind, pattern in (
        ("ticket_id", _TICKET),
        ("id_number", _ID_NUMBER),
        ("phone", _PHONE),
        ("phone", _LANDLINE),
        ("card_number", _CARD),
    ):
        for match in pattern.finditer(text):
            start, end = match.span()
            if kind == "id_number" and not is_id_number(match.group()):
                continue
            if all(end <= other.start or start >= other.end for other in found):
                found.append(Identifier(kind, start, end, match.group()))
    return sorted(found, key=lambda one: one.start)
