"""The QA metrics against figures that the official evaluation scripts printed."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

METRICS = Path(__file__).parents[1] / "templates/templates/tasks/qa/package/metrics.py"
FILES = {
    "xquad_en": "xquad/xquad.en.json",
    "squad_v1_half": "squad_v1.1_half/squad-half-v1.1.json",
    "squad_v2": "squad_v2_slices/train-v2.0.json",
    "cmrc_trial": "cmrc2018/cmrc2018_trial.json",
}
# Printed for the predictions made below by SQuAD's evaluate-v2.0.py (for squad_v2 with
# --na-prob-file and a --na-prob-thresh above all odds) and, for cmrc_trial, by
# cmrc2018_evaluate.py of ymcui/cmrc2018 with NLTK 3.10.4 and its punkt model.
EXPECTED = {
    "xquad_en": {"exact": 32.52100840336134, "f1": 52.66713884607655, "total": 1190},
    "squad_v1_half": {
        "exact": 31.999258847507875,
        "f1": 52.995114135703304,
        "total": 5397,
    },
    "squad_v2": {
        "exact": 42.6517571884984,
        "f1": 51.030531216134015,
        "total": 626,
        "HasAns_exact": 36.177474402730375,
        "HasAns_f1": 54.078882393514974,
        "HasAns_total": 293,
        "NoAns_exact": 48.348348348348345,
        "NoAns_f1": 48.348348348348345,
        "NoAns_total": 333,
        "best_exact": 53.35463258785943,
        "best_exact_thresh": -4.0,
        "best_f1": 53.55541554492797,
        "best_f1_thresh": -3.6,
    },
    "cmrc_trial": {"exact": 27.944111776447105, "f1": 61.81309099426815, "total": 1002},
}


def load_metrics():
    """Import the template's metrics module from its file."""
    spec = importlib.util.spec_from_file_location("qa_metrics", METRICS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_questions(path):
    """Return question id -> (accepted answers, offset of the first one, context)."""
    questions = {}
    for article in json.loads(Path(path).read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                answers = question["answers"]
                texts = tuple(answer["text"] for answer in answers)
                start = answers[0]["answer_start"] if answers else 0
                questions[question["id"]] = texts, start, paragraph["context"]
    return questions


def predict(number, question):
    """Make a prediction of one of ten kinds, chosen by the question's number."""
    answers, start, context = question
    gold = answers[0] if answers else ""
    end = start + len(gold)
    kinds = (
        lambda: gold,
        lambda: context[max(0, start - 4) : end - 2],
        lambda: context[start : end + 7],
        lambda: context[: context.find(".") + 1],
        lambda: "",
        lambda: f"The {gold.upper()}, an!",
        lambda: "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in gold),
        lambda: " ".join(reversed(gold.split())),
        lambda: f"「{gold}」 (it's a {number}.5% share)",
        lambda: context[number % 97 : number % 97 + 30],
    )
    return kinds[number % len(kinds)]()


def null_odds(number):
    """Make odds between -4 and 4, with ties."""
    return (number * 37 % 81 - 40) / 10


def data_path(name):
    """Return the path of a data set, or skip the test."""
    folder = os.environ.get("TKGEN_DATA")
    if not folder:
        pytest.skip("TKGEN_DATA is unset: it names the folder of the public data sets")
    path = Path(folder) / FILES[name]
    if not path.exists():
        pytest.skip(f"TKGEN_DATA holds no {FILES[name]}")
    return path


@pytest.mark.parametrize("name", FILES)
def test_figures_equal_the_official_scripts(name):
    """Every figure that the official script prints is equal to the last digit."""
    questions = read_questions(data_path(name))
    items = enumerate(questions.items())
    predictions = {key: predict(number, question) for number, (key, question) in items}
    odds = {key: null_odds(number) for number, key in enumerate(questions)}
    golds = {key: answers for key, (answers, _, _) in questions.items()}
    result = load_metrics().evaluate_predictions(golds, predictions, odds)
    assert result.pop("rules") == ("cmrc" if name == "cmrc_trial" else "squad")
    assert result == pytest.approx(EXPECTED[name], rel=0, abs=1e-9)


def test_best_threshold_is_the_best_of_all_thresholds():
    """No other threshold on the null odds gives a higher F1."""
    metrics = load_metrics()
    questions = read_questions(data_path("squad_v2"))
    golds = {key: answers for key, (answers, _, _) in questions.items()}
    answers = {
        key: predict(number * 10 + number % 4, question) or "none"
        for number, (key, question) in enumerate(questions.items())
    }
    odds = {
        key: null_odds(number) + (0.0 if golds[key] else 2.0)
        for number, key in enumerate(golds)
    }

    def f1_at(threshold):
        kept = {key: answers[key] if odds[key] <= threshold else "" for key in golds}
        return metrics.evaluate_predictions(golds, kept, rules="squad")["f1"]

    chosen = metrics.best_threshold(golds, answers, odds, "squad")
    best = max(f1_at(threshold) for threshold in {-9.0, *odds.values()})
    assert f1_at(chosen) == pytest.approx(best, rel=0, abs=1e-9)
    assert best > f1_at(-9.0) + 1 and best > f1_at(9.0) + 1
