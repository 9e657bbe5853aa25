"""The scores of aspects and triplets equal those of comparing each with each."""

from __future__ import annotations

import random
from typing import Any

import pytest

from .conftest import Load, make_load, make_project

POLARITIES = ("negative", "neutral", "positive")
PLACES: list[Any] = [None, (0, 2), (0, 3), (2, 5), (4, 9), (5, 9), (10, 11)]
TEXT = "abcdefghijkl"


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A function that imports a module of a generated package by its name."""
    folder = tmp_path_factory.mktemp("generated")
    return make_load(make_project(folder, "aspect-sentiment"))


def draw_aspects(dice: random.Random) -> list[dict[str, Any]]:
    """Return some aspects at different places, each with opinions."""
    aspects = []
    for place in dice.sample(PLACES, dice.choice((0, 1, 2, 3, 5))):
        opinions = [
            {"place": other, "polarity": dice.choice(POLARITIES)}
            for other in dice.sample(PLACES[1:], dice.choice((0, 1, 2, 4)))
        ]
        own = dice.choice(POLARITIES)
        aspects.append({"place": place, "polarity": own, "opinions": opinions})
    return aspects


def changed(dice: random.Random, aspects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return aspects of which some are gone, some others, and some are new."""
    taken = {each["place"] for each in aspects}
    new = [each for each in draw_aspects(dice) if each["place"] not in taken]
    result = []
    for each in aspects:
        if dice.random() < 0.2:
            continue
        opinions = [dict(x) for x in each["opinions"] if dice.random() < 0.8]
        for opinion in opinions:
            if dice.random() < 0.2:
                opinion["polarity"] = dice.choice(POLARITIES)
        polarity = dice.choice((each["polarity"], *POLARITIES))
        result.append({**each, "polarity": polarity, "opinions": opinions})
    return result + [each for each in new if dice.random() < 0.4]


def span(place: Any) -> dict[str, Any]:
    """Return text, start and end of a place as predictions have them."""
    start, end = place or (None, None)
    return {"text": TEXT[start:end] if place else None, "start": start, "end": end}


def as_prediction(aspects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return aspects in the form of predictions."""
    return [
        {
            **span(each["place"]),
            "polarity": each["polarity"],
            "opinions": [
                {**span(x["place"]), "polarity": x["polarity"]}
                for x in each["opinions"]
            ],
        }
        for each in aspects
    ]


def as_example(load: Load, name: str, aspects: list[dict[str, Any]]) -> Any:
    """Return aspects in the form of an example; polarities are all that are named."""
    module = load("aspects")
    made = []
    for each in aspects:
        opinions = tuple(
            module.Opinion(**span(x["place"]), polarity=x["polarity"])
            for x in each["opinions"]
        )
        polarities = (each["polarity"],)
        made.append(
            module.Aspect(
                **span(each["place"]), polarities=polarities, opinions=opinions
            )
        )
    return module.Example(name, TEXT, tuple(made), "here")


def rows(aspects: list[dict[str, Any]], kind: str) -> list[tuple[Any, ...]]:
    """Return what is compared, one row for each item."""
    if kind == "aspect":
        return [(each["place"],) for each in aspects]
    if kind == "pair":
        return [(each["place"], each["polarity"]) for each in aspects]
    found = [
        (x["place"], y["place"], y["polarity"]) for x in aspects for y in x["opinions"]
    ]
    return [row[:2] for row in found] if kind == "opinion" else found


def brute_force(
    golds: list[list[dict[str, Any]]], founds: list[list[dict[str, Any]]], kind: str
) -> tuple[float, float, float]:
    """Return precision, recall and F1 in percent by comparing each with each."""
    hits = wanted = given = 0
    for gold, found in zip(golds, founds, strict=True):
        left, right = rows(gold, kind), rows(found, kind)
        wanted, given = wanted + len(left), given + len(right)
        for one in left:
            for other in right:
                hits += one == other
    precision = 100 * hits / given if given else 0.0
    recall = 100 * hits / wanted if wanted else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


@pytest.mark.parametrize("seed", range(20))
def test_all_figures(load: Load, seed: int) -> None:
    """Precision, recall and F1 of each kind, and the accuracy of polarities."""
    dice = random.Random(seed)
    golds = [draw_aspects(dice) for _ in range(30)]
    golds[0] = [{"place": None, "polarity": "neutral", "opinions": []}]
    golds[1] = [
        {"place": (0, 2), "polarity": "neutral", "opinions": []}
        | {"opinions": [{"place": (2, 5), "polarity": "positive"}]}
    ]
    founds = [changed(dice, gold) for gold in golds]
    givens = []  # what step 2 says of the gold aspects
    for gold in golds:
        answers = changed(dice, gold)
        by_place = {each["place"]: each for each in answers}
        empty = {"polarity": "neutral", "opinions": []}
        givens.append(
            [by_place.get(x["place"], {**empty, **{"place": x["place"]}}) for x in gold]
        )
    examples = [as_example(load, str(i), gold) for i, gold in enumerate(golds)]
    predictions = [
        {
            "id": str(i),
            "aspects": as_prediction(found),
            "given_aspects": as_prediction(given),
        }
        for i, (found, given) in enumerate(zip(founds, givens, strict=True))
    ]
    config = load("config").TrainConfig(kind="triplets", polarities=POLARITIES)
    scores = load("decoding").evaluate(examples, predictions, config)
    for kind in ("aspect", "pair", "opinion", "triplet"):
        expected = brute_force(golds, founds, kind)
        names = [f"{kind}_{figure}" for figure in ("precision", "recall", "f1")]
        assert [scores[name] for name in names] == pytest.approx(expected)
    expected = brute_force(golds, givens, "opinion")
    names = [f"opinion_of_given_aspects_{x}" for x in ("precision", "recall", "f1")]
    assert [scores[name] for name in names] == pytest.approx(expected)
    right = [
        one["polarity"] == other["polarity"]
        for gold, given in zip(golds, givens, strict=True)
        for one, other in zip(gold, given, strict=True)
    ]
    assert scores["polarity_accuracy"] == pytest.approx(100 * sum(right) / len(right))
    assert scores["score"] == scores["triplet_f1"] and scores["total"] == 30
