"""The checklist for a claim on a commercial insurance (R94)."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from bot.errors import DataError

PATH = Path(__file__).with_name("commercial.yml")


class Paper(NamedTuple):
    paper: str
    where: str


@lru_cache(maxsize=2)
def _data(path: Path = PATH) -> dict:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    for kind, entry in raw["kinds"].items():
        if not entry.get("papers") or any(set(paper) != {"paper", "where"} for paper in entry["papers"]):
            raise DataError(f"{path.name}: kinds.{kind}.papers needs paper and where in every row")
    return raw


def claim_kinds() -> dict[str, str]:
    """Give the kinds of claim and their Chinese names: {"inpatient": "住院医疗", …}."""
    return {kind: entry["name"] for kind, entry in _data()["kinds"].items()}


def claim_papers(kind: str) -> tuple[Paper, ...]:
    """Give the papers for a kind of claim and where each is to be had; KeyError for a kind not in the file."""
    return tuple(Paper(**paper) for paper in _data()["kinds"][kind]["papers"])


def checklist_text(kind: str, phone: str) -> str:
    """Give the checklist as text for the patient; `phone` is that of the insurance office (医保办公室)."""
    data = _data()
    papers = [f"{number}. {one.paper}：{one.where}" for number, one in enumerate(claim_papers(kind), 1)]
    direct = data["direct_payment"]
    head = f"{claim_kinds()[kind]}理赔，请准备："
    tail = f"各家保险公司要求不同，请以保险合同为准。医保办公室电话：{phone}。"
    return "\n".join([*data["before"], head, *papers, direct["question"], direct["route"], tail])
