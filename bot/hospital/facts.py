"""The hospital's facts as words: variables of answers, and names that conversion to Traditional must leave alone."""

from functools import lru_cache

from bot.hospital.load import load_hospital


@lru_cache(maxsize=1)
def answer_facts() -> dict[str, str]:
    """Give what an answer may name in braces: {hospital}, {address}, {transit}, {phone_desk} …"""
    info = load_hospital().info
    return {
        "hospital": info.name,
        "service": info.service_name,
        "address": info.address,
        "transit": info.transit,
        **{f"phone_{name}": number for name, number in info.phones.items()},
    }


@lru_cache(maxsize=1)
def proper_names() -> tuple[str, ...]:
    """Give the names of people and of the hospital, which keep the characters they are registered with."""
    hospital = load_hospital()
    return (hospital.info.name, *sorted({d.name for d in hospital.doctors.values()}))
