"""The figures of a list of answers, in fractions until the end."""

import math
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

Voice = dict[str, Any]


def category(score: int) -> str:
    """The category of an NPS score: 0 to 6, 7 to 8, 9 to 10."""
    if score <= 6:
        return "detractor"
    if score <= 8:
        return "passive"
    return "promoter"


FACTOR = {"detractor": -1, "passive": 0, "promoter": 1}


def order(voice: Voice) -> tuple[datetime, str, str]:
    """The sort key of a voice: its time, then its ids."""
    return voice["at"], voice["response_id"], voice["question_id"]


def pick(voices: list[Voice], method: str) -> list[Voice]:
    """The voices that the method counts: all, or the latest of each person."""
    if method == "all":
        return voices
    return [
        voice
        for voice in voices
        if not any(other["person"] == voice["person"] and order(other) > order(voice) for other in voices)
    ]


def number(value: Fraction | None) -> float | None:
    """The nearest float."""
    return None if value is None else float(value)


def whole(value: Fraction | None) -> int | None:
    """Rounded half away from zero."""
    if value is None:
        return None
    return math.floor(value + Fraction(1, 2)) if value >= 0 else -math.floor(-value + Fraction(1, 2))


def share(part: int, total: int) -> Fraction | None:
    """As a percentage."""
    return Fraction(100 * part, total) if total else None


def nps(voices: list[Voice]) -> Fraction | None:
    """Percentage of promoters minus percentage of detractors."""
    if not voices:
        return None
    return 100 * Fraction(sum(FACTOR[category(voice["score"])] for voice in voices), len(voices))


def alone(voices: list[Voice], survey_type: str) -> dict[str, Any]:
    """The figures of one window, without a comparison."""
    scores = [voice["score"] for voice in voices]
    n = len(scores)
    last = max((voice["at"] for voice in voices), default=None)
    figures: dict[str, Any] = {
        "response_count": n,
        "stakeholder_count": len({voice["person"] for voice in voices}),
        "mean_score": number(Fraction(sum(scores), n)) if n else None,
        "distribution": [scores.count(score) for score in range(11)],
        "last_answered_at": last and last.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "top_two_percent": None,
        "easy_percent": None,
    }
    if survey_type == "csat":
        figures["top_two_percent"] = number(share(sum(score >= 4 for score in scores), n))
    if survey_type == "ces":
        figures["easy_percent"] = number(share(sum(score >= 5 for score in scores), n))
    return figures | of_nps(voices, survey_type)


def of_nps(voices: list[Voice], survey_type: str) -> dict[str, Any]:
    """The keys of NPS; None for other survey types."""
    names = [category(voice["score"]) for voice in voices]
    figures: dict[str, Any] = {"nps": nps(voices), "nps_rounded": whole(nps(voices))}
    figures["nps"] = number(figures["nps"])
    for name in FACTOR:
        figures[f"{name}_count"] = names.count(name)
        figures[f"{name}_percent"] = number(share(names.count(name), len(names)))
    figures["ci_low"], figures["ci_high"] = interval(names)
    return figures if survey_type == "nps" else dict.fromkeys(figures)


def adjusted(names: list[str]) -> tuple[float, float]:
    """Mean and squared standard error of the factors after adding ¾ promoter, 1½ passives and ¾ detractor, by
    the definition of the variance (Rocks 2016)."""
    weights = {
        "promoter": names.count("promoter") + 0.75,
        "passive": names.count("passive") + 1.5,
        "detractor": names.count("detractor") + 0.75,
    }
    n = sum(weights.values())
    mean = sum(weights[name] * FACTOR[name] for name in weights) / n
    variance = sum(weights[name] * (FACTOR[name] - mean) ** 2 for name in weights) / n
    return mean, variance / n


def interval(names: list[str]) -> tuple[float | None, float | None]:
    """The 95 % interval, within ±100."""
    if not names:
        return None, None
    mean, error = adjusted(names)
    margin = 1.959963984540054 * math.sqrt(error)
    return 100 * max(-1.0, mean - margin), 100 * min(1.0, mean + margin)


def compared(now: list[Voice], before: list[Voice] | None, survey_type: str) -> dict[str, Any]:
    """The figures with their comparison to the window before (None before all time)."""
    figures = alone(now, survey_type) | {
        "previous": None if before is None else alone(before, survey_type),
        "change": None,
        "z": None,
        "significant": False,
        "same_stakeholders": None,
    }
    if survey_type != "nps":
        return figures
    figures["same_stakeholders"] = same_people(now, before or [])
    score_now, score_before = nps(now), nps(before or [])
    if score_now is None or score_before is None or before is None:
        return figures
    figures["change"] = number(score_now - score_before)
    mean_now, error_now = adjusted([category(voice["score"]) for voice in now])
    mean_before, error_before = adjusted([category(voice["score"]) for voice in before])
    z = (mean_now - mean_before) / math.sqrt(error_now + error_before)
    voices = min(figures["stakeholder_count"], figures["previous"]["stakeholder_count"])
    return figures | {"z": z, "significant": voices >= 10 and abs(z) >= 1.959963984540054}


def same_people(now: list[Voice], before: list[Voice]) -> dict[str, Any]:
    """The paired change of those who answered in both windows, by their latest answer in each."""
    latest_now = {voice["person"]: FACTOR[category(voice["score"])] for voice in pick(now, "latest")}
    latest_before = {voice["person"]: FACTOR[category(voice["score"])] for voice in pick(before, "latest")}
    moves = [latest_now[person] - latest_before[person] for person in latest_now if person in latest_before]
    n = len(moves)
    if n == 0:
        return {"n": 0, "change": None, "t": None}
    mean = Fraction(sum(moves), n)
    t = None
    if n >= 2 and len(set(moves)) > 1:
        variance = sum((move - mean) ** 2 for move in moves) / (n - 1)
        t = float(mean) / math.sqrt(variance / n)
    return {"n": n, "change": number(100 * mean), "t": t}
