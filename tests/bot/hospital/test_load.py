"""A clerk's mistake is named with file, row and remedy; nothing is guessed."""

import shutil
from pathlib import Path

import pytest

from bot.errors import DataError
from bot.hospital import load
from bot.hospital.load import load_hospital

SAMPLE = Path(load.__file__).parent / "sample"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SAMPLE, tmp_path / "hospital"))


def replace(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is no longer in {file}: correct this test"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("doctors.csv", "chief,cardiology,", "chief,heart,", r"doctors\.csv, row 2, department: 'heart'.*Add it"),
        ("doctors.csv", "male,chief", "male,boss", r"doctors\.csv, row 2, title: 'boss'.*chief"),
        ("doctors.csv", "d002,", "d001,", r"doctors\.csv, row 3, code: 'd001' is already used"),
        ("doctors.csv", "。,\n", "。,face.jpg\n", r"doctors\.csv, row 2, photo: photos/face\.jpg does not exist"),
        ("departments.csv", "心内科|心内", "心内科|骨科", r"departments\.csv, row .*'骨科' already means 'cardiology'"),
        ("departments.csv", "内科|大内科|心血管病中心", "内科|骨科", r"departments\.csv, cardiology, groups: '骨科'"),
        ("departments.csv", "code,name", "code,title", r"departments\.csv, row 1: the columns name are missing"),
        ("departments.csv", "yes,no,,0,150,0550-8800312", "yes,yes,,0,150,1", r"no_online_departments: 'fever'"),
        ("prices.csv", "次,15.00", "次,15元", r"prices\.csv, row 2, price: '15元' is no amount"),
        ("prices.csv", "次,15.00", "次,15.005", r"prices\.csv, row 2, price: 15\.005 has more than two decimals"),
        ("prices.csv", "次,15.00", "次,-15", r"prices\.csv, row 2, price: '-15' is no amount"),
        ("prices.csv", "15.00,13,甲", "15.00,15,甲", r"prices\.csv, row 2, category: '15'"),
        ("prices.csv", "13,甲,0,", "13,甲,0.1,", r"prices\.csv, row 2, pay_first: only 乙类"),
        ("prices.csv", "REG003|REG002", "REG999", r"prices\.csv, row 5, alternatives: 'REG999'"),
        ("prices.csv", "2026-01-01", "2026-13-01", r"prices\.csv, row 2, valid_from: '2026-13-01' is no date"),
        ("schedule.csv", "d001,1,am", "d001,8,am", r"schedule\.csv, row 2, weekday: '8'.*1 to 7"),
        ("schedule.csv", "REG003", "REG999", r"schedule\.csv, row 2, fee_item: 'REG999' is not in prices\.csv"),
        ("schedule.csv", ",18,", ",0,", r"schedule\.csv, row 2, quota: '0'"),
        ("stops.csv", "+3", "soon", r"stops\.csv, row 2, first: 'soon' is no day.*\+3"),
        ("guide.yml", "neurology: 头疼先", "brain: 头疼先", r"guide\.yml, rows 1, to: 'brain'"),
        (
            "guide.yml",
            "[头痛, 头疼, 脑袋疼,",
            "[头痛, 便秘,",
            r"guide\.yml, rows \d+, words: '便秘' is already in",
        ),
        ("catalogue.yml", "price_item: SVC006", "price_item: X1", r"catalogue\.yml, services \d+, price_item: 'X1'"),
        ("catalogue.yml", "hours: front_desk", "hours: later", r"catalogue\.yml, services 1, hours: 'later'"),
        ("catalogue.yml", "services:", "services: [", r"catalogue\.yml, line \d+"),
        ("hospital.yml", "08:00-12:00", "8am-12", r"hospital\.yml, hours, outpatient, spans: '8am-12'"),
        ("hospital.yml", "name: 示范医院", "name:", r"hospital\.yml, name: is empty"),
        (
            "patients.csv",
            "110101195803120015",
            "110101195803120016",
            r"patients\.csv, row 2, id_number: the last",
        ),
        ("patients.csv", "1958-03-12", "1958-03-13", r"patients\.csv, row 2, birth: differs"),
        ("patients.csv", "王建国,male", "王建国,female", r"patients\.csv, row 2, sex: differs"),
        ("patients.csv", "13800000001", "1380000001", r"patients\.csv, row 2, phone"),
        ("stays.csv", "P001", "P999", r"stays\.csv, row 2, patient: 'P999' is not in patients\.csv"),
        ("stays.csv", "上月14日", "上月4日", r"stays\.csv, row 2, discharged: lies before"),
        ("stays.csv", "上月14日", "上月9日", r"bill_lines\.csv, bill ZY2001: a charge lies after the discharge"),
        ("stays.csv", "ZY2001,", "ZY9999,", r"bill_lines\.csv: no stay or visit has the code 'ZY2001'"),
        ("exams.csv", "09:30", "25:30", r"exams\.csv, row 2, start: '25:30'"),
    ],
)
def test_a_wrong_value_is_named_with_file_row_and_remedy(folder, file, old, new, said):
    replace(folder, file, old, new)
    with pytest.raises(DataError, match=said):
        load_hospital(folder)


@pytest.mark.parametrize("column", ["total", "self_paid", "in_scope"])
def test_a_bill_line_that_does_not_add_up_is_refused(folder, column):
    path = folder / "bill_lines.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index(column)] = "0.01"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]), encoding="utf-8")
    with pytest.raises(DataError, match=r"bill_lines\.csv, row 2, total: .*Correct"):
        load_hospital(folder)


def test_a_missing_file_says_where_to_get_it(folder):
    (folder / "stops.csv").unlink()
    with pytest.raises(DataError, match=r"stops\.csv: is missing .*Copy it from the sample folder"):
        load_hospital(folder)


def test_a_file_in_another_encoding_is_named(folder):
    text = (folder / "doctors.csv").read_text(encoding="utf-8")
    (folder / "doctors.csv").write_bytes(text.encode("gbk"))
    with pytest.raises(DataError, match=r"doctors\.csv: is not UTF-8"):
        load_hospital(folder)


def test_a_comma_too_many_is_named(folder):
    replace(folder, "stops.csv", "外出参加学术会议", "外出,参加学术会议")
    with pytest.raises(DataError, match=r"stops\.csv, row 2: has 7 cells"):
        load_hospital(folder)


def test_a_spreadsheets_byte_order_mark_is_no_mistake(folder):
    path = folder / "doctors.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_hospital(folder).doctors["d001"].name == "张建华"


def test_another_folder_gives_another_hospital(folder):
    replace(folder, "hospital.yml", "name: 示范医院", "name: 清水医院")
    assert load_hospital(folder).info.name == "清水医院"
    assert load_hospital(SAMPLE).info.name == "示范医院"


def test_the_same_folder_is_read_once():
    assert load_hospital(SAMPLE) is load_hospital(SAMPLE)
