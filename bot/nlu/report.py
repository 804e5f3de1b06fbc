"""The figures of evaluate.py as one page without outside files, its charts drawn as SVG; for people, so in Chinese."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

WORST = 20
_STYLE = """
body{font:15px/1.6 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:2rem auto;max-width:64rem;
padding:0 1rem;color:#1d2b33}h2{margin-top:2.2rem;border-bottom:1px solid #cfdadf}table{border-collapse:collapse}
td,th{padding:.15rem .7rem;border-bottom:1px solid #e4ebee;text-align:right}td:first-child,th:first-child{text-align:left}
td.text{text-align:left}.row{display:flex;flex-wrap:wrap;gap:2rem}svg{max-width:100%;height:auto}
@media (max-width:640px){table{display:block;overflow-x:auto}body{margin:1rem auto}}
td.cell{padding:.2rem .4rem;text-align:center;border:1px solid #fff}th.up{writing-mode:vertical-rl;font-weight:400}
.low{color:#b3261e;font-weight:600}small{color:#5b6b73}
"""
_NAMES = {
    "accuracy": "完整标签正确率",
    "macro_f1": "宏平均 F1",
    "intent_accuracy": "意图正确率",
    "answered": "过阈值后处理正确",
    "false_rejection": "误拒率",
    "out_of_scope_recall": "超范围识别率",
    "out_of_scope_recall_at_3_percent": "误拒 3% 时的超范围识别率",
    "out_of_scope_auroc": "超范围 AUROC",
    "p50_ms": "耗时中位数（毫秒）",
    "p95_ms": "耗时 95 分位（毫秒）",
}


def page(result: dict[str, Any], title: str, curve: Sequence[tuple[int, float]] = ()) -> str:
    """Give the whole page. curve: (training lines, accuracy) of the learning curve, left out when empty."""
    wrong = [one for one in result["each"] if one["label"] != one["found"]]
    parts = [
        f"<h1>{escape(title)}</h1><p>共 {result['lines']} 句，答错 {len(wrong)} 句。</p>",
        _table(("指标", "数值"), [(name, _number(result[key])) for key, name in _NAMES.items() if key in result]),
        "<h2>分组与人群</h2><div class=row>",
        _shares("业务组召回", result["groups"], 0.95),
        _shares("说话人", result["voices"], 0.85),
        _shares("标签种类", result["kinds"], 0.85),
        "</div>",
        _danger(result["danger"]) if "danger" in result else "",
        "<h2>实体</h2>",
        _entities(result),
        "<h2>把握与实际</h2><div class=row>",
        confidences(result["each"]),
        reliability(result["calibration"]),
        learning(curve) if curve else "",
        f"</div><h2>最易混淆的 {WORST} 个标签</h2>",
        confusion(wrong),
        "<h2>混淆对</h2>",
        _table(("应为", "答成", "句数"), result["confused"][:40]),
        "<h2>答错的句子</h2>",
        _table(
            ("应为", "答成", "把握", "说话人", "原话"),
            [(w["label"], w["found"], f"{w['confidence']:.2f}", w["voice"], w["text"]) for w in wrong],
        ),
    ]
    head = f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f"{head}<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"


def _number(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) and value <= 1 else str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td class=text>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _shares(name: str, shares: dict[str, float], goal: float) -> str:
    rows = "".join(
        f"<tr><td>{escape(key)}</td><td class='{'low' if share < goal else ''}'>{share:.3f}</td></tr>"
        for key, share in shares.items()
    )
    return f"<table><tr><th>{name}</th><th>目标 {goal:.2f}</th></tr>{rows}</table>"


def _danger(sets: dict[str, dict[str, Any]]) -> str:
    rows = [
        (name, "危险" if one["danger"] else "其他", one["lines"], f"{one['alarm']:.4f}", f"{one['any']:.4f}")
        for name, one in sets.items()
    ]
    wrong = [(name, said or "无", text) for name, one in sets.items() for said, text in one["wrong"]]
    return (
        "<h2>危险信号</h2><p>患者实际会看到的提示：危险句为召回，其他句为误报。</p>"
        + _table(("句集", "种类", "句数", "固定提示", "固定提示或留意提示"), rows)
        + f"<details><summary>漏报与误报 {len(wrong)} 句</summary>{_table(('句集', '提示', '原话'), wrong)}</details>"
    )


def _entities(result: dict[str, Any]) -> str:
    rows = [
        (kind, f"{one['f1']:.3f}", f"{result['by_value'].get(kind, one)['f1']:.3f}", one["wanted"], one["found"])
        for kind, one in result["entities"].items()
    ]
    values = "，".join(f"{kind} {share:.3f}" for kind, share in result["values_right"].items())
    return _table(("实体", "F1（原文）", "F1（取值）", "应有", "找到"), rows) + f"<p>取值正确的比例：{values}</p>"


def _chart(title: str, inside: str, across: str, up: str) -> str:
    """Put a drawing of 300 by 200 into a frame with its two scales named."""
    frame = '<rect x="40" y="20" width="300" height="200" fill="none" stroke="#9fb0b8"/>'
    return (
        f'<svg width="360" height="260" viewBox="0 0 360 260" role="img" aria-label="{escape(title)}">'
        f'<text x="40" y="14" font-size="13">{escape(title)}</text>{frame}'
        f'<g transform="translate(40,20)">{inside}</g>'
        f'<text x="190" y="250" font-size="12" text-anchor="middle">{escape(across)}</text>'
        f'<text x="14" y="120" font-size="12" text-anchor="middle" transform="rotate(-90 14 120)">{escape(up)}</text></svg>'
    )


def confidences(each: Sequence[dict[str, Any]]) -> str:
    """Draw how many lines were understood with which confidence, wrong ones in red."""
    counts = Counter((min(int(one["confidence"] * 20), 19), one["label"] == one["found"]) for one in each)
    tallest = max((counts[k, True] + counts[k, False] for k in range(20)), default=1) or 1
    bars = []
    for k in range(20):
        good, bad = (counts[k, right] * 200 / tallest for right in (True, False))
        bars.append(f'<rect x="{k * 15}" y="{200 - good:.1f}" width="14" height="{good:.1f}" fill="#2f7f86"/>')
        bars.append(f'<rect x="{k * 15}" y="{200 - good - bad:.1f}" width="14" height="{bad:.1f}" fill="#b3261e"/>')
    return _chart(f"把握的分布（最高 {tallest} 句，红为答错）", "".join(bars), "把握 0 → 1", "句数")


def reliability(calibration: dict[str, Any]) -> str:
    """Draw the share of right lines over the confidence that they were given."""
    marks = [
        f'<circle cx="{sure * 300:.1f}" cy="{200 - right * 200:.1f}" r="{3 + (n**0.5) / 5:.1f}" fill="#2f7f86"/>'
        for n, sure, right in calibration["bins"]
        if n
    ]
    even = '<path d="M0 200L300 0" stroke="#9fb0b8" stroke-dasharray="4"/>'
    return _chart(f"把握与正确率（ECE {calibration['ece']:.3f}）", even + "".join(marks), "把握 0 → 1", "正确率 0 → 1")


def learning(curve: Sequence[tuple[int, float]]) -> str:
    """Draw accuracy over the number of training lines."""
    most, low = max(n for n, _ in curve), min(share for _, share in curve)
    span = max(max(share for _, share in curve) - low, 0.01)
    spots = [(n / most * 290, 190 - (share - low) / span * 180, n, share) for n, share in curve]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in spots)
    texts = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/><text x="{x:.1f}" y="{y - 6:.1f}" font-size="10" '
        f'text-anchor="middle">{share:.3f}</text>'
        for x, y, _, share in spots
    )
    drawing = f'<path d="M{line}" fill="none" stroke="#2f7f86" stroke-width="2"/>{texts}'
    return _chart("学习曲线", drawing, f"训练句数 0 → {most}", "正确率")


def _red(share: float) -> str:
    """Give white to red as an attribute may name it: the workbench serves the page without inline styles."""
    return "#" + "".join(f"{round(255 + (full - 255) * share):02x}" for full in (179, 38, 30))


def confusion(wrong: Sequence[dict[str, Any]]) -> str:
    """Give the table of the labels most often taken for each other."""
    counts = Counter((one["label"], one["found"]) for one in wrong)
    share = Counter(name for pair in counts.elements() for name in pair)
    names = sorted(name for name, _ in share.most_common(WORST))
    top = max((counts[a, b] for a in names for b in names), default=1) or 1
    heads = "".join(f"<th class=up>{escape(name)}</th>" for name in names)
    rows = []
    for name in names:
        cells = "".join(
            f'<td class=cell bgcolor="{_red(counts[name, other] / top)}">{counts[name, other] or ""}</td>'
            for other in names
        )
        rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    return f"<table><tr><th>应为 ＼ 答成</th>{heads}</tr>{''.join(rows)}</table>"
