"""What a hospital's data folder holds, as frozen dataclasses. No file, no clock: `today` comes in as an argument.

Money is Decimal yuan, days are dates, times of day are `datetime.time` on the hospital's wall clock.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

# National classes of the itemised bill, med_chrgitm_type (hospital-domain B2).
CATEGORIES: Mapping[str, str] = {
    "01": "床位费",
    "02": "诊察费",
    "03": "检查费",
    "04": "化验费",
    "05": "治疗费",
    "06": "手术费",
    "07": "护理费",
    "08": "卫生材料费",
    "09": "西药费",
    "10": "中药饮片费",
    "11": "中成药费",
    "12": "一般诊疗费",
    "13": "挂号费",
    "14": "其他费",
}
TITLES: Mapping[str, str] = {
    "chief": "主任医师",
    "associate_chief": "副主任医师",
    "attending": "主治医师",
    "resident": "住院医师",
}
SLOT_CLASSES: Mapping[str, str] = {"normal": "普通号", "expert": "专家号", "special": "特需号"}
PERIODS: Mapping[str, str] = {"am": "上午", "pm": "下午", "evening": "晚上"}
INSURANCE_TYPES: Mapping[str, str] = {
    "employee": "职工医保",
    "resident": "城乡居民医保",
    "student_child": "学生儿童医保",
}
WEEKDAYS = "一二三四五六日"

_RELATIVE = re.compile(r"[+-]\d{1,4}")
_LAST_MONTH = re.compile(r"上月(\d{1,2})日")


@dataclass(frozen=True)
class DayRef:
    """A day in a file: `2026-12-01`, relative to today (`+3`, `-35`, `0`), or a day of last month (`上月8日`).

    Relative days keep the sample hospital fresh; a hospital that loads real data writes dates.
    """

    text: str

    def __post_init__(self) -> None:
        """Raise ValueError when the text is none of the three forms."""
        if self.text == "0" or _RELATIVE.fullmatch(self.text):
            return
        if month_day := _LAST_MONTH.fullmatch(self.text):
            if not 1 <= int(month_day[1]) <= 28:
                raise ValueError(f"day {self.text} does not exist in every month")
            return
        date.fromisoformat(self.text)

    def on(self, today: date) -> date:
        """Give the date that this stands for when today is `today` (hospital's wall clock)."""
        if self.text == "0" or _RELATIVE.fullmatch(self.text):
            return today + timedelta(days=int(self.text))
        if month_day := _LAST_MONTH.fullmatch(self.text):
            return (today.replace(day=1) - timedelta(days=1)).replace(day=int(month_day[1]))
        return date.fromisoformat(self.text)


@dataclass(frozen=True)
class Department:
    """One department. `clinic`: patients can see a doctor there; `online`: its openings are booked through us."""

    code: str
    name: str
    aliases: tuple[str, ...]  # each means this department only
    groups: tuple[str, ...]  # words shared with others (内科): asking back is right
    building: str
    floor: str
    treats: str
    clinic: bool
    online: bool
    sex: str | None  # "female" where only women are seen
    age_from: int  # full years, inclusive
    age_to: int  # full years, inclusive
    phone: str

    @property
    def place(self) -> str:
        """Say where it is, such as 门诊楼3楼A区."""
        return f"{self.building}{self.floor}"

    def sees(self, *, age: int | None = None, sex: str | None = None) -> bool:
        """Tell whether a patient of this age and sex can be booked here; what is not known does not exclude."""
        fits_sex = self.sex is None or sex is None or sex == self.sex
        return fits_sex and (age is None or self.age_from <= age <= self.age_to)


@dataclass(frozen=True)
class Doctor:
    """One doctor, as shown to the public."""

    code: str
    name: str
    sex: str  # male, female
    title: str  # key of TITLES
    department: str
    speciality: str
    intro: str
    photo: str | None  # file name below photos/, None where the doctor gave no picture

    @property
    def title_name(self) -> str:
        """Give the Chinese rank, such as 副主任医师."""
        return TITLES[self.title]


@dataclass(frozen=True)
class Session:
    """A weekly clinic: who sits on which weekday and half-day, and how many openings (号源) there are."""

    doctor: str
    department: str  # the doctor's own
    weekday: int  # 1 = Monday … 7 = Sunday, as date.isoweekday()
    period: str  # key of PERIODS
    slot_class: str  # key of SLOT_CLASSES
    quota: int
    room: str
    fee_item: str  # code in prices.csv
    full: bool  # the sample shows it as booked out, so that the waitlist (候补) can be tried


@dataclass(frozen=True)
class Stop:
    """A cancelled clinic (停诊) from one day to another, both included."""

    doctor: str
    first: DayRef
    last: DayRef
    period: str | None  # None: the whole day
    reason: str  # shown to patients
    substitute: str | None  # code of the doctor who takes over (替诊)

    def covers(self, day: date, period: str, today: date) -> bool:
        """Tell whether the clinic of that day and period is cancelled."""
        return self.first.on(today) <= day <= self.last.on(today) and self.period in (None, period)


@dataclass(frozen=True)
class PriceItem:
    """One line of the price list (价目表, R95)."""

    code: str
    name: str
    aliases: tuple[str, ...]  # each means this item only
    groups: tuple[str, ...]  # words shared with other items (核磁): asking back is right
    unit: str
    price: Decimal  # yuan per unit
    category: str  # key of CATEGORIES
    insurance: str  # 甲, 乙 or 自费
    pay_first: Decimal  # 先行自付比例, 0 to 1; 0 unless 乙
    limit: Decimal | None  # 医保支付限价 in yuan per unit; what is above counts as 超限价
    valid_from: date
    alternatives: tuple[str, ...]  # codes of items to discuss with the doctor instead (R91)
    note: str

    @property
    def category_name(self) -> str:
        """Give the name of the national class, such as 检查费."""
        return CATEGORIES[self.category]


@dataclass(frozen=True)
class Service:
    """One convenience service (便民服务, R102). `paid` without `price_item` means: ask for the price on the spot."""

    code: str
    name: str
    aliases: tuple[str, ...]
    paid: bool
    price_item: str | None  # code in prices.csv: the only source of a fee
    deposit: Decimal | None  # yuan, given back on return
    place: str
    hours: str  # key of HospitalInfo.hours
    how: str
    faq: str | None  # key of the standing answer that tells more


@dataclass(frozen=True)
class LockerRule:
    """One rule of the locker (寄存, R103) as question and answer."""

    code: str
    question: str
    answer: str


@dataclass(frozen=True)
class Patient:
    """A patient as the hospital's records know him. Only bot/patients/access.py hands this out (R7)."""

    code: str
    name: str
    sex: str
    birth: date
    id_number: str
    phone: str
    insurance_type: str  # key of INSURANCE_TYPES
    retired: bool

    def age(self, today: date) -> int:
        """Give full years."""
        return today.year - self.birth.year - ((today.month, today.day) < (self.birth.month, self.birth.day))


@dataclass(frozen=True)
class BillLine:
    """One charge. Always total = self_paid + over_limit + pay_first + in_scope (national interface, B2)."""

    bill: str  # code of a Stay or a Visit
    day: int  # 1 = day of admission or of the visit
    item: str  # code in prices.csv
    name: str  # as charged then; the price list may have moved on
    category: str
    insurance: str
    unit: str
    quantity: Decimal
    price: Decimal
    total: Decimal
    self_paid: Decimal  # 全自费
    over_limit: Decimal  # 超限价
    pay_first: Decimal  # 先行自付
    in_scope: Decimal  # 符合范围


@dataclass(frozen=True)
class Encounter:
    """What stays and visits share: whose it is, where, and its bill."""

    code: str
    patient: str
    department: str
    doctor: str
    lines: tuple[BillLine, ...] = field(repr=False)

    @cached_property
    def total(self) -> Decimal:
        """Give the sum of the bill in yuan."""
        return sum((line.total for line in self.lines), Decimal("0.00"))


@dataclass(frozen=True)
class Stay(Encounter):
    """An inpatient stay (住院). `discharged` is None while the patient is in hospital."""

    admitted: DayRef
    discharged: DayRef | None
    ward: str
    bed: str
    deposit: Decimal  # 预交金 paid so far, yuan

    def day_of(self, line: BillLine, today: date) -> date:
        """Give the date of a charge."""
        return self.admitted.on(today) + timedelta(days=line.day - 1)

    def charged_on(self, day: date, today: date) -> tuple[BillLine, ...]:
        """Give the charges of one date, in the order of the bill."""
        return tuple(line for line in self.lines if self.day_of(line, today) == day)


@dataclass(frozen=True)
class Visit(Encounter):
    """An outpatient visit (门诊)."""

    day: DayRef


@dataclass(frozen=True)
class Exam:
    """An examination that is arranged (检查预约, R82)."""

    code: str
    patient: str
    item: str
    day: DayRef
    start: str  # HH:MM on the hospital's wall clock
    place: str
    prepare: str  # what to do before, as the exam desk prints it
    status: str  # booked, done or cancelled


@dataclass(frozen=True)
class Opening:
    """Hours of one place: on which kind of day and from when to when (minutes after midnight)."""

    days: str  # all, working, rest, or weekdays such as 一三五
    spans: tuple[tuple[int, int], ...]  # an end below its start runs past midnight
    note: str


@dataclass(frozen=True)
class GuideRow:
    """One row of the symptom guide (导诊, B8): what patients say → where to go, each with a plain reason."""

    words: tuple[str, ...]
    also: tuple[tuple[str, ...], ...]  # groups of words of which each must be present too
    to: tuple[tuple[str, str], ...]  # (department, reason), best first, at most three
    check_first: bool  # ask bot/safety before anything else
    when: str | None  # child, adult, elder, pregnant, female, male


@dataclass(frozen=True)
class GuideRules:
    """The guide's rows and the hospital's ways with children, pregnant and older patients."""

    rows: tuple[GuideRow, ...]
    parts: tuple[GuideRow, ...]  # where no row speaks: a part of the body with one of the troubles near it
    troubles: tuple[str, ...]
    child_under: int  # full years
    child_words: tuple[str, ...]
    child_except: tuple[str, ...]  # said of the mother, not of a child: 生完孩子
    child_keep: tuple[str, ...]  # departments that see children themselves
    child_surgical: tuple[str, ...]  # departments whose place 小儿外科 takes
    child_reason: str
    child_surgery_reason: str
    pregnant_words: tuple[str, ...]
    pregnant_except: tuple[str, ...]  # wishing or asking, not being: 想怀孕
    pregnant_first: tuple[str, ...]  # departments that stay in front of 产科
    pregnant_reason: str
    elder_from: int
    elder_reason: str
    unsure_reason: str


@dataclass(frozen=True)
class HospitalInfo:
    """The facts of hospital.yml. Nested rules stay mappings: their own room checks them."""

    name: str
    full_name: str
    level: str
    service_name: str
    reviewed_by: str
    valid_to: date
    address: str
    transit: str
    site: str
    phones: Mapping[str, str]
    hours: Mapping[str, Opening]
    booking: Mapping
    identity: Mapping
    complaints: Mapping


@dataclass(frozen=True, eq=False)
class Hospital:
    """Everything in one data folder, checked. Compared by identity, so that indexes can be cached per hospital."""

    info: HospitalInfo
    departments: Mapping[str, Department]
    doctors: Mapping[str, Doctor]
    sessions: tuple[Session, ...]
    stops: tuple[Stop, ...]
    prices: Mapping[str, PriceItem]
    services: Mapping[str, Service]
    locker_rules: tuple[LockerRule, ...]
    guide: GuideRules
    patients: Mapping[str, Patient]
    stays: Mapping[str, Stay]
    visits: Mapping[str, Visit]
    exams: tuple[Exam, ...]

    def doctors_of(self, department: str) -> list[Doctor]:
        """Give a department's doctors, highest rank first."""
        ranks = list(TITLES)
        return sorted(
            (doctor for doctor in self.doctors.values() if doctor.department == department),
            key=lambda doctor: ranks.index(doctor.title),
        )

    def sessions_of(self, doctor: str) -> list[Session]:
        """Give a doctor's weekly clinics from Monday on."""
        order = list(PERIODS)
        return sorted(
            (session for session in self.sessions if session.doctor == doctor),
            key=lambda session: (session.weekday, order.index(session.period)),
        )
