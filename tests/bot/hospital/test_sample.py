"""What the sample hospital must hold so that every page of the product can be shown."""

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bot.hospital.load import load_hospital

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def hospital():
    return load_hospital(ROOT / "bot/hospital/sample")


def test_the_demo_patients_are_those_of_the_readme(hospital):
    rows = re.findall(r"^\| (\S+) \| (\d{17}[\dX]) \| (\d{11}) \|", (ROOT / "README.md").read_text("utf-8"), re.M)
    sample = [(patient.name, patient.id_number, patient.phone) for patient in hospital.patients.values()]
    assert len(rows) == 3
    assert sample[:3] == rows


def test_there_are_forty_patients_of_every_scheme(hospital):
    assert len(hospital.patients) == 40
    schemes = {patient.insurance_type for patient in hospital.patients.values()}
    assert schemes == {"employee", "resident", "student_child"}


def test_names_of_doctors_are_truly_ambiguous(hospital):
    surnames = Counter(doctor.name[0] for doctor in hospital.doctors.values())
    assert len(hospital.doctors) >= 84
    assert surnames["张"] >= 6 and surnames["李"] >= 5 and surnames["王"] >= 5
    cardiologists = hospital.doctors_of("cardiology")
    assert len(cardiologists) >= 5
    assert any(doctor.name[0] == "张" and doctor.title == "chief" for doctor in cardiologists)


def test_every_bookable_department_has_normal_clinics_every_weekday(hospital):
    held = {
        (session.department, session.weekday, session.period)
        for session in hospital.sessions
        if session.slot_class == "normal"
    }
    wanted = {
        (code, weekday, period)
        for code, department in hospital.departments.items()
        if department.online
        for weekday in range(1, 6)
        for period in ("am", "pm")
    }
    assert wanted - held == set()


def test_only_bookable_departments_have_clinics(hospital):
    assert all(hospital.departments[session.department].online for session in hospital.sessions)


def test_evenings_weekends_and_full_sessions_can_be_shown(hospital):
    assert any(session.period == "evening" for session in hospital.sessions)
    assert {session.weekday for session in hospital.sessions} == set(range(1, 8))
    assert any(session.full for session in hospital.sessions if session.department == "cardiology")


def test_expert_clinics_are_held_by_chiefs_and_cost_by_rank(hospital):
    fees = {("expert", "chief"): "REG003", ("expert", "associate_chief"): "REG002", ("special", "chief"): "REG004"}
    for session in hospital.sessions:
        if session.slot_class != "normal":
            assert session.fee_item == fees[session.slot_class, hospital.doctors[session.doctor].title]


def test_stops_hit_a_real_clinic_whatever_the_day(hospital):
    for offset in range(7):
        today = date(2026, 11, 16 + offset)
        stop = next(stop for stop in hospital.stops if stop.doctor == "d002")
        days = [date.fromordinal(today.toordinal() + ahead) for ahead in range(14)]
        clinics = [
            day
            for day in days
            for session in hospital.sessions_of("d002")
            if session.weekday == day.isoweekday() and stop.covers(day, session.period, today)
        ]
        assert clinics


def test_a_substitute_is_free_when_he_stands_in(hospital):
    for stop in hospital.stops:
        if stop.substitute:
            busy = {(session.weekday, session.period) for session in hospital.sessions_of(stop.substitute)}
            taken = {(session.weekday, session.period) for session in hospital.sessions_of(stop.doctor)}
            assert busy & taken == set()


def test_wang_jianguo_lay_in_hospital_for_eight_days_last_month(hospital):
    (stay,) = [stay for stay in hospital.stays.values() if stay.patient == "P001"]
    assert (stay.discharged.on(TODAY) - stay.admitted.on(TODAY)).days == 8
    assert stay.admitted.on(TODAY).month == stay.discharged.on(TODAY).month == 10
    assert 55 <= len(stay.lines) <= 65
    assert sum(line.self_paid > 0 for line in stay.lines) == 2


def test_last_month_stays_last_month_at_the_turn_of_the_year(hospital):
    (stay,) = [stay for stay in hospital.stays.values() if stay.patient == "P001"]
    assert stay.admitted.on(date(2027, 1, 31)) == date(2026, 12, 6)


def test_somebody_is_in_hospital_and_was_charged_yesterday(hospital):
    (stay,) = [stay for stay in hospital.stays.values() if stay.patient == "P004"]
    yesterday = date(2026, 11, 19)
    assert stay.discharged is None
    assert stay.charged_on(yesterday, TODAY)
    assert stay.charged_on(TODAY, TODAY) == ()


def test_stays_visits_and_exams_are_enough_to_show(hospital):
    assert len(hospital.stays) >= 25
    assert len([visit for visit in hospital.visits.values() if visit.patient == "P002"]) == 2
    (mri,) = [exam for exam in hospital.exams if exam.patient == "P001" and exam.status == "booked"]
    assert hospital.prices[mri.item].name == "头颅磁共振平扫"
    assert mri.day.on(TODAY) == date(2026, 11, 23)


def test_every_bill_has_lines_that_follow_the_price_list(hospital):
    for encounter in [*hospital.stays.values(), *hospital.visits.values()]:
        assert encounter.lines
        for line in encounter.lines:
            item = hospital.prices[line.item]
            facts = (line.name, line.price, line.category, line.insurance)
            assert facts == (item.name, item.price, item.category, item.insurance)


def test_insurance_parts_follow_from_the_class_of_the_item(hospital):
    cent = Decimal("0.01")
    for encounter in [*hospital.stays.values(), *hospital.visits.values()]:
        for line in encounter.lines:
            item = hospital.prices[line.item]
            covered = line.total - line.self_paid - line.over_limit
            assert (line.self_paid == line.total) == (item.insurance == "自费")
            assert line.pay_first == (covered * item.pay_first).quantize(cent)


def test_the_day_of_discharge_has_no_bed_fee(hospital):
    for stay in hospital.stays.values():
        if stay.discharged:
            beds = [line for line in stay.lines if line.item.startswith("BED00") and line.item != "BED008"]
            assert len(beds) == (stay.discharged.on(TODAY) - stay.admitted.on(TODAY)).days


def test_the_catalogue_holds_what_r102_lists(hospital):
    names = " ".join(word for service in hospital.services.values() for word in (service.name, *service.aliases))
    for word in "咨询 文书传递 标本 寄存 报刊 老花镜 针线包 出院 上网 热水 水杯 水控卡 出租车 轮椅 平车".split():
        assert word in names
    for word in "全程陪同 传真 复印 扫描 医保盖章 租轮椅 雨伞 代邮寄 陪护 预约诊疗".split():
        assert word in names


def test_a_paid_service_has_a_price_and_a_free_one_has_none(hospital):
    assert all(service.paid == bool(service.price_item) for service in hospital.services.values())


def test_the_locker_has_ten_rules(hospital):
    assert len(hospital.locker_rules) == 10


def test_texts_for_patients_say_nin(hospital):
    texts = [text for service in hospital.services.values() for text in (service.how, service.place)]
    texts += [rule.answer for rule in hospital.locker_rules] + [exam.prepare for exam in hospital.exams]
    texts += [doctor.intro for doctor in hospital.doctors.values()]
    assert [text for text in texts if "你" in text or "不知道" in text] == []
