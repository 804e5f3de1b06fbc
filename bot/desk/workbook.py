"""The monthly report as an .xlsx file: one sheet a subject, the figures of reports.month and nothing else (R71)."""

from datetime import date
from io import BytesIO

from bot.desk import reports


def month(first: date) -> bytes:
    """Give the workbook of a month."""
    import xlsxwriter  # 0.1 s that the start of the web process does not wait for

    report = reports.month(first)
    out = BytesIO()
    # Cells are text or numbers as given: a lesson that begins with = stays a text, a link stays one, too.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True})
        for name, rows in _sheets(report).items():
            sheet = book.add_worksheet(name)
            sheet.set_column(0, 0, 24)
            sheet.set_column(1, 9, 16)
            for number, row in enumerate(rows):
                sheet.write_row(
                    number, 0, ["" if cell is None else cell for cell in row], bold if number == 0 else None
                )
    return out.getvalue()


def _sheets(report: dict) -> dict[str, list]:
    told, served = report["complaints"], report["service"]
    spread = ("等待接入", "wait"), ("首次响应", "first_response"), ("处理时长", "handling")
    return {
        "概况": [
            ("指标", "数值"),
            ("月份", report["month"]),
            ("投诉件数", told["count"]),
            ("上期件数", told["before"]),
            ("已答复", told["sla"]["answered"]),
            ("按期答复", told["sla"]["in_time"]),
            ("超期", told["sla"]["overdue"]),
            ("答复天数中位数", told["median_days"]),
            ("投诉处理满意度均分", told["rating"]["mean"]),
            ("人工接待", served["taken"]),
            ("人工服务满意度均分", served["rating"]["mean"]),
        ],
        "投诉类型": [
            ("类型", "件数", "占比%", "累计%"),
            *((each["name"], each["count"], each["share"], each["cumulative"]) for each in told["types"]),
        ],
        "科室": [
            ("科室", "件数", "重复发生"),
            *((each["department"], each["count"], "是" if each["repeat"] else "") for each in told["departments"]),
        ],
        "趋势": [("日期", "件数"), *((each["at"], each["count"]) for each in told["trend"])],
        "人工服务": [
            ("指标（秒）", "次数", "中位数", "九成以内"),
            *((name, served[key]["count"], served[key]["median"], served[key]["p90"]) for name, key in spread),
        ],
        "坐席": [
            ("坐席", "接待", "首次响应（秒）", "处理时长（秒）", "满意度"),
            *(
                (each["agent"], each["talks"], each["first_response"], each["handling"], each["rating"])
                for each in served["by_agent"]
            ),
        ],
        "改进措施": [
            ("编号", "类型", "科室", "原因与改进"),
            *(
                (each["number"], each["type"], "、".join(each["departments"]), each["lesson"])
                for each in report["lessons"]
            ),
        ],
    }
