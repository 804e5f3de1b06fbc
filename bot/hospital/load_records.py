"""Reads what stands in for the hospital's own systems: patients, stays, visits, charges, arranged exams."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from types import MappingProxyType

from bot.errors import DataError
from bot.hospital.model import (
    CATEGORIES,
    INSURANCE_TYPES,
    BillLine,
    DayRef,
    Exam,
    Patient,
    PriceItem,
    Stay,
    Visit,
)
from bot.hospital.tables import Row, read_csv
from bot.money import round_cent

PATIENT_COLUMNS = "code name sex birth id_number phone insurance_type retired".split()
STAY_COLUMNS = "code patient department doctor admitted discharged ward bed deposit".split()
VISIT_COLUMNS = "code patient department doctor day".split()
EXAM_COLUMNS = "code patient item day start place prepare status".split()
LINE_COLUMNS = (
    "bill day item name category insurance unit quantity price total self_paid over_limit pay_first in_scope".split()
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Any date tells whether a stay ends before it begins, as long as both days are relative or both are dates.
_PROBE = date(2026, 3, 15)


def load_patients(folder: Path) -> MappingProxyType[str, Patient]:
    """Read patients.csv; an ID number must fit its check digit (GB 11643), birth date and sex."""
    file, found, numbers = "patients.csv", {}, set()
    for row in read_csv(folder, file, PATIENT_COLUMNS):
        patient = Patient(
            code=_new(row, found, file),
            name=row.text("name"),
            sex=row.choice("sex", ("male", "female")),
            birth=row.date("birth"),
            id_number=row.text("id_number").upper(),
            phone=row.text("phone"),
            insurance_type=row.choice("insurance_type", INSURANCE_TYPES),
            retired=row.yes("retired"),
        )
        _check_id(row, patient)
        if patient.id_number in numbers:
            raise row.fail("id_number", "stands in an earlier row, too", "Keep one row for each person.")
        if not (patient.phone.isascii() and patient.phone.isdigit() and len(patient.phone) == 11):
            raise row.fail("phone", "is no mobile number", "Write its 11 digits.")
        numbers.add(patient.id_number)
        found[patient.code] = patient
    return MappingProxyType(found)


def load_lines(folder: Path, prices: MappingProxyType[str, PriceItem]) -> dict[str, list[BillLine]]:
    """Read bill_lines.csv by bill. Every line must add up to the cent (B2: the national identity)."""
    file, found = "bill_lines.csv", defaultdict(list)
    for row in read_csv(folder, file, LINE_COLUMNS):
        line = BillLine(
            bill=row.text("bill"),
            day=row.whole("day", 1, 400),
            item=row.reference("item", prices, "prices.csv"),
            name=row.text("name"),
            category=row.choice("category", CATEGORIES),
            insurance=row.choice("insurance", ("甲", "乙", "自费")),
            unit=row.text("unit"),
            quantity=row.amount("quantity"),
            price=row.amount("price"),
            total=row.amount("total"),
            self_paid=row.amount("self_paid"),
            over_limit=row.amount("over_limit"),
            pay_first=row.amount("pay_first"),
            in_scope=row.amount("in_scope"),
        )
        if line.total != round_cent(line.quantity * line.price):
            raise row.fail("total", f"{line.total} is not {line.quantity} × {line.price}", "Correct one of the three.")
        parts = line.self_paid + line.over_limit + line.pay_first + line.in_scope
        if line.total != parts:
            problem = f"{line.total} is not 全自费 + 超限价 + 先行自付 + 符合范围 = {parts}"
            raise row.fail("total", problem, "Correct the four parts.")
        found[line.bill].append(line)
    return found


def load_stays(folder: Path, patients, departments, doctors, lines) -> MappingProxyType[str, Stay]:
    """Read stays.csv with the bill of each."""
    file, found = "stays.csv", {}
    for row in read_csv(folder, file, STAY_COLUMNS):
        stay = Stay(
            code=_new(row, found, file),
            **_whose(row, patients, departments, doctors),
            lines=tuple(lines.get(row.text("code"), ())),
            admitted=row.day("admitted"),
            discharged=row.day("discharged") if row.optional("discharged") else None,
            ward=row.text("ward"),
            bed=row.text("bed"),
            deposit=row.amount("deposit"),
        )
        _check_days(row, stay)
        found[stay.code] = stay
    return MappingProxyType(found)


def load_visits(folder: Path, patients, departments, doctors, lines) -> MappingProxyType[str, Visit]:
    """Read visits.csv with the bill of each."""
    file, found = "visits.csv", {}
    for row in read_csv(folder, file, VISIT_COLUMNS):
        visit = Visit(
            code=_new(row, found, file),
            **_whose(row, patients, departments, doctors),
            lines=tuple(lines.get(row.text("code"), ())),
            day=row.day("day"),
        )
        if any(line.day != 1 for line in visit.lines):
            raise DataError(f"bill_lines.csv, bill {visit.code}: a visit has one day only. Write 1 in the day column.")
        found[visit.code] = visit
    return MappingProxyType(found)


def load_exams(folder: Path, patients, prices) -> tuple[Exam, ...]:
    """Read exams.csv."""
    file, found = "exams.csv", {}
    for row in read_csv(folder, file, EXAM_COLUMNS):
        start = row.text("start")
        if not (len(start) == 5 and start[2] == ":" and start[:2].isdigit() and start[3:].isdigit()):
            raise row.fail("start", f"{start!r} is no time of day", "Write it as 08:30.")
        if not (int(start[:2]) < 24 and int(start[3:]) < 60):
            raise row.fail("start", f"{start!r} is no time of day", "Write it as 08:30.")
        found[row.text("code")] = Exam(
            code=_new(row, found, file),
            patient=row.reference("patient", patients, "patients.csv"),
            item=row.reference("item", prices, "prices.csv"),
            day=row.day("day"),
            start=start,
            place=row.text("place"),
            prepare=row.text("prepare"),
            status=row.choice("status", ("booked", "done", "cancelled")),
        )
    return tuple(found.values())


def _new(row: Row, known: dict, file: str) -> str:
    code = row.text("code")
    if code in known:
        raise row.fail("code", f"{code!r} is already used in {file}", "Give each row its own code.")
    return code


def _whose(row: Row, patients, departments, doctors) -> dict[str, str]:
    return {
        "patient": row.reference("patient", patients, "patients.csv"),
        "department": row.reference("department", departments, "departments.csv"),
        "doctor": row.reference("doctor", doctors, "doctors.csv"),
    }


def _check_days(row: Row, stay: Stay) -> None:
    last = _span_days(stay.admitted, stay.discharged) if stay.discharged else None
    if last is not None and last < 0:
        raise row.fail("discharged", "lies before the admission", "Correct one of the two days.")
    # Charges stop on the day of discharge, which is day `last + 1`.
    if last is not None and any(line.day > last + 1 for line in stay.lines):
        raise DataError(f"bill_lines.csv, bill {stay.code}: a charge lies after the discharge. Correct its day.")


def _span_days(first: DayRef, last: DayRef) -> int | None:
    """Give the days between two days of the same kind; None for a mixture, whose distance depends on today."""
    if _kind(first) != _kind(last):
        return None
    return (last.on(_PROBE) - first.on(_PROBE)).days


def _kind(day: DayRef) -> str:
    if day.text.startswith("上月"):
        return "last month"
    return "relative" if day.text == "0" or day.text[0] in "+-" else "date"


def _check_id(row: Row, patient: Patient) -> None:
    number = patient.id_number
    if not (len(number) == 18 and number[:17].isascii() and number[:17].isdigit()):
        raise row.fail("id_number", "does not have 18 places", "Copy it from the identity card.")
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True)) % 11]
    if number[17] != check:
        raise row.fail("id_number", "the last place does not fit the others", "Compare it with the identity card.")
    if number[6:14] != patient.birth.strftime("%Y%m%d"):
        raise row.fail("birth", "differs from the ID number", "Compare both with the identity card.")
    if (int(number[16]) % 2 == 1) != (patient.sex == "male"):
        raise row.fail("sex", "differs from the ID number", "Compare both with the identity card.")
