"""Is a new model better than the one that serves? Pure: two results of `daoyi evaluate --json` in, a verdict out."""

from collections import defaultdict

GROUPS = {
    "emergency": "危险与急症",
    "complaint": "投诉",
    "human": "找人工",
    "task": "办事",
    "question": "提问",
    "answer": "接话",
    "courtesy": "礼貌用语",
    "outside": "超出范围",
}
TASKS = {
    "book_appointment", "query_schedule", "query_my_appointments", "cancel_appointment", "reschedule_appointment",
    "query_bill", "estimate_reimbursement", "track_ticket", "suggestion", "praise", "request_referral",
    "privacy_request", "find_department",
}  # fmt: skip
ANSWERS = {"inform", "affirm", "deny", "stop", "go_back", "repeat"}
COURTESY = {
    "greet",
    "goodbye",
    "thanks",
    "apologize",
    "chitchat",
    "bot_challenge",
    "ask_capabilities",
    "abuse",
    "decline",
}
FALL = 0.02  # share of a group's lines that may be lost, but always one line
TOTAL_FALL = 0.01


def group_of(label: str) -> str:
    """Give a label's group, the order of what must not be left out."""
    base = label.partition("/")[0]
    if base in ("emergency", "report_death"):
        return "emergency"
    if base == "complaint":
        return "complaint"
    if base == "request_human":
        return "human"
    if base in TASKS:
        return "task"
    if base in ANSWERS:
        return "answer"
    if base in COURTESY:
        return "courtesy"
    return "outside" if base in ("out_of_scope", "nlu_fallback") else "question"


def compare(live: list[dict], new: list[dict]) -> dict:
    """Compare two results line by line (`each`: text, label, found, confidence).

    Gives lines, right {live, new}, groups [{group, title, lines, live, new}], better and worse [{text, label, live, new,
    confidence}]. Lines that only one result has do not count.
    """
    theirs = {each["text"]: each for each in live}
    pairs = [(theirs[each["text"]], each) for each in new if each["text"] in theirs]
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    better, worse = [], []
    for old, now in pairs:
        was, is_ = old["found"] == old["label"], now["found"] == now["label"]
        count = counts[group_of(now["label"])]
        count[0] += 1
        count[1] += was
        count[2] += is_
        if was != is_:
            row = {"text": now["text"], "label": now["label"], "live": old["found"], "new": now["found"]}
            (better if is_ else worse).append({**row, "confidence": now.get("confidence")})
    groups = [
        {
            "group": group,
            "title": GROUPS[group],
            "lines": counts[group][0],
            "live": counts[group][1],
            "new": counts[group][2],
        }
        for group in GROUPS
        if group in counts
    ]
    right = {"live": sum(row["live"] for row in groups), "new": sum(row["new"] for row in groups)}
    return {"lines": len(pairs), "right": right, "groups": groups, "better": better, "worse": worse}


def gate(found: dict, talks: dict | None) -> list[dict]:
    """Say whether a model may be promoted: [{rule, title, passed, detail, hard}]; `passed` None where nothing was measured.

    talks: {"passed", "failed", "names"} of the conversation tests, None when they could not run. A hard rule cannot be
    overruled by a reason.
    """
    rows = []
    for each in found["groups"]:
        lost = each["live"] - each["new"]
        allowed = 0 if each["group"] == "emergency" else max(1, int(each["lines"] * FALL))
        rows.append(
            {
                "rule": each["group"],
                "title": f"{each['title']}不能变差",
                "passed": lost <= allowed,
                "detail": f"{each['lines']}句：原来对{each['live']}句，现在对{each['new']}句",
                "hard": each["group"] == "emergency",
            }
        )
    lines, right = found["lines"], found["right"]
    lost = (right["live"] - right["new"]) / lines if lines else 0.0
    detail = f"{lines}句：原来对{right['live']}句，现在对{right['new']}句"
    rows.append(
        {
            "rule": "total",
            "title": "总体不能变差",
            "passed": lost <= TOTAL_FALL if lines else None,
            "detail": detail,
            "hard": False,
        }
    )
    words = (
        "没有运行（缺少测试文件或 pytest）" if talks is None else f"通过{talks['passed']}项，未通过{talks['failed']}项"
    )
    if talks and talks["failed"]:
        words += "：" + "、".join(talks["names"][:5])
    passed = None if talks is None else talks["failed"] == 0
    rows.append({"rule": "talks", "title": "对话与危险信号测试", "passed": passed, "detail": words, "hard": False})
    return rows


def may_promote(rows: list[dict] | None) -> str:
    """Give "yes", "reason" (somebody must say why) or "no"."""
    if not rows:
        return "reason"
    if any(row["hard"] and row["passed"] is False for row in rows):
        return "no"
    return "yes" if all(row["passed"] for row in rows) else "reason"
