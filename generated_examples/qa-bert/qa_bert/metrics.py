"""Exact match and F1 of extractive QA, as SQuAD and CMRC 2018 report them."""

import re
import string
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import zip_longest

MONITOR = "f1"  # the figure that picks the best model
REPORTED = ("exact", "f1")  # the figures shown after each epoch

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_DELETE_PUNCTUATION = str.maketrans("", "", string.punctuation)

# CMRC 2018 lists "……" too, but deletes single characters, so that "…" stays.
_CMRC_MARKS = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"
_DELETE_CMRC_MARKS = str.maketrans("", "", _CMRC_MARKS)
_HANZI = re.compile("[\u4e00-\u9fa5]")

# A sentence ends at a full stop with a space or bracket behind it, but not after an
# initial, an abbreviation, or a number before a word.
_CLOSERS, _BRACKETS = r"[\"')\]}«»‘]", r"[()\[\]{}\"';@?!«»‘]"
_SENTENCE_END = re.compile(
    r"(?<![\s.])(?<!\b[^\W\d])(?:(?<!\d)|(?!\.\s+[a-z]))"
    r"(?<!\b(?:co|dr|jr|lt|mr|ms|sr|st|vs))(?<!\b(?:col|gen|inc|ltd|mrs|sen))"
    rf"\.(?:{_CLOSERS}*\s+(?=\S)"
    rf"|(?!{_CLOSERS}+(?:\s|$)|\S*[.?!](?:\s|{_BRACKETS}))(?={_BRACKETS}))"
)
_WORD_RULES = [  # of the Penn Treebank: in this order they put spaces around words
    (re.compile("[«‘„]"), r" \g<0> "),
    (re.compile(r"^\""), " `` "),  # an opening quote
    (re.compile(r"(?<=[ (\[<{])(?:\"|'')"), " `` "),
    (re.compile(r"(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)"), "' "),
    (re.compile(r"(?<=[^.])\.(?=[\])}>\"'» ]*\s*$)"), " . "),  # the last full stop
    (re.compile(r",(\D|$)"), r" , \1"),  # a comma, but not the one in 1,000
    (re.compile("\\.{2,}|[;@#$%&?!\u2012-\u2015]"), r" \g<0> "),
    (re.compile(r"(?<=[^'])' "), " ' "),
    (re.compile(r"[\]\[(){}<>»]"), r" \g<0> "),
    (re.compile("''|\""), " '' "),  # the quotes left are closing ones
    (re.compile(r"\s+|$"), " "),
    (re.compile(r"(?<=[^' ])(?:'[smd]?) "), r" \g<0>"),
    (re.compile(r"(?<=[^' ])(?:'ll|'re|'ve|n't) "), r" \g<0>"),
    (re.compile(r"\b(?:(can)(not)|(gim|lem)(me)|(d)('ye))\b"), r" \1\3\5 \2\4\6 "),
    (re.compile(r"\b(?:(gon)(na)|(got)(ta)|(more)('n))\b"), r" \1\3\5 \2\4\6 "),
    (re.compile(r"\b(wan)(na)(?= )"), r" \1 \2 "),
    (re.compile(r"(?<= )('t)(is|was)\b"), r"\1 \2 "),
]


def normalize_answer(text: str) -> str:
    """Return `text` in lower case, without ASCII punctuation, articles, extra spaces.

    Source: `normalize_answer` of SQuAD's evaluation scripts. Punctuation goes before
    the articles, so "A." becomes an empty string and "the-end" becomes "theend".
    """
    text = text.lower().translate(_DELETE_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def squad_scores(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """Return (exact, F1), each 0 to 1, the best over `answers`; () is unanswerable.

    Source: SQuAD's `evaluate-v2.0.py`. F1 counts shared words, whatever their order.
    Answers that normalise to nothing are ignored; where none is left, only an empty
    prediction is right. `evaluate-v1.1.py` differs only there: it keeps such answers
    and gives an equally empty prediction an exact match with an F1 of 0.
    """
    golds = [gold for gold in map(normalize_answer, answers) if gold] or [""]
    predicted = normalize_answer(prediction)
    f1 = max(_word_f1(predicted.split(), gold.split()) for gold in golds)
    return float(predicted in golds), f1


def _word_f1(predicted: list[str], gold: list[str]) -> float:
    """Return the F1 of two bags of words; two empty bags agree."""
    if not predicted or not gold:
        return float(predicted == gold)
    return _f1((Counter(predicted) & Counter(gold)).total(), len(predicted), len(gold))


def _f1(shared: int, predicted: int, gold: int) -> float:
    """Return the harmonic mean of precision and recall, from counts of tokens."""
    if not shared:
        return 0.0
    precision, recall = shared / predicted, shared / gold
    return 2 * precision * recall / (precision + recall)


def cmrc_scores(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """Return CMRC 2018's (exact, F1), each 0 to 1, the best over `answers`.

    Source: `cmrc2018_evaluate.py` of ymcui/cmrc2018. F1 counts the tokens of the
    longest run that prediction and answer share without a gap. A Chinese character is a
    token; text between them is cut as NLTK 3.10's `word_tokenize` cuts it, except that
    NLTK finds ends of sentences with a trained model and this file with a rule. That
    decides only whether a full stop within Latin text is a token: NLTK's is one after
    rare initials ("j.r.r. tolkien"), and none after some abbreviations ("calif. law").
    CMRC has no unanswerable questions: with no answers, only "" is right.
    """
    texts = [text.lower().strip() for text in (prediction, *answers)]
    predicted, *golds = [text.translate(_DELETE_CMRC_MARKS) for text in texts]
    if not golds:
        return float(not predicted), float(not predicted)
    f1s = [_run_f1(_cmrc_tokens(predicted), _cmrc_tokens(gold)) for gold in golds]
    return float(predicted in golds), max(f1s)


def _cmrc_tokens(text: str) -> list[str]:
    """Cut lowercase text into Chinese characters and the words between them."""
    tokens = []
    for part in re.split(f"({_HANZI.pattern})", text):
        for sentence in _SENTENCE_END.sub("\\g<0>\0", part).split("\0"):
            for pattern, replacement in _WORD_RULES:
                sentence = pattern.sub(replacement, sentence)
            tokens += sentence.split()
    return tokens


def _run_f1(predicted: list[str], gold: list[str]) -> float:
    """Return the F1 of the longest run of tokens found in both."""
    longest, lengths = 0, [0] * len(gold)  # of the shared run that ends at each token
    for token in predicted:
        before = [0, *lengths]
        lengths = [before[j] + 1 if token == gold[j] else 0 for j in range(len(gold))]
        longest = max(longest, *lengths, 0)
    return _f1(longest, len(predicted), len(gold))


def choose_rules(golds: Iterable[Sequence[str]]) -> str:
    """Return "cmrc" if most gold answers hold a Chinese character, else "squad"."""
    chinese = [bool(_HANZI.search(text)) for answers in golds for text in answers]
    return "cmrc" if 2 * sum(chinese) > len(chinese) else "squad"


def evaluate_predictions(
    golds: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    null_odds: Mapping[str, float] | None = None,
    *,
    rules: str = "auto",
) -> dict[str, float | int | str]:
    """Return `exact` and `f1` in percent, `total` in questions, and the `rules`.

    Args:
        golds: question id to its accepted answers, `()` where it has none.
        predictions: question id to the predicted text, "" for "no answer".
        null_odds: question id to the null score minus the best score of an answer.
        rules: "squad", "cmrc", or "auto" (see `choose_rules`).

    With unanswerable questions the figures of each half follow, as `HasAns_*` and
    `NoAns_*`; with `null_odds` too, `best_exact`, `best_f1` and their `*_thresh`: what
    the given predictions reach if those with higher odds become empty.

    Source: SQuAD's `evaluate-v2.0.py`; its `--na-prob-thresh` is for probabilities, not
    applied here. Raises ValueError where a question lacks a prediction or its odds.
    """
    score, rules = _choose_scorer(golds, rules)
    _require(golds, predictions, "prediction")
    scores = {key: score(predictions[key], golds[key]) for key in golds}
    result: dict[str, float | int | str] = _average("", scores.values())
    result["rules"] = rules
    no_answer = [key for key in golds if not golds[key]]
    if not no_answer:
        return result
    result |= _average("HasAns_", [scores[key] for key in golds if golds[key]])
    result |= _average("NoAns_", [scores[key] for key in no_answer])
    if null_odds is None:
        return result
    for index, name in enumerate(("exact", "f1")):
        gains = {key: pair[index] for key, pair in scores.items() if golds[key]}
        gains |= {key: -float(bool(predictions[key])) for key in no_answer}
        best, threshold = _sweep(gains, null_odds, len(no_answer), 0.0)
        result |= {f"best_{name}": best, f"best_{name}_thresh": threshold}
    return result


def best_threshold(
    golds: Mapping[str, Sequence[str]],
    non_null: Mapping[str, str],
    null_odds: Mapping[str, float],
    rules: str = "auto",
) -> float:
    """Return the threshold on the null odds (a score difference) with the highest F1.

    The prediction is "" where the odds are above the threshold, otherwise the
    `non_null` answer. Where "" is always best, the threshold lies below all odds.
    Raises ValueError as `evaluate_predictions` does.
    """
    score, _ = _choose_scorer(golds, rules)
    _require(golds, non_null, "non-null answer")
    empty = {key: score("", golds[key])[1] for key in golds}
    gains = {key: score(non_null[key], golds[key])[1] - empty[key] for key in golds}
    below = min(null_odds.values(), default=0.0) - 1.0
    return _sweep(gains, null_odds, sum(empty.values()), below, keep_ties=True)[1]


def _sweep(
    gains: Mapping[str, float],
    null_odds: Mapping[str, float],
    total: float,
    threshold: float,
    keep_ties: bool = False,
) -> tuple[float, float]:
    """Raise the threshold over all odds; return the best mean in percent and its place.

    `total` and `threshold` hold for empty predictions. SQuAD's script may stop between
    two questions of equal odds, which no threshold can do; `keep_ties` forbids it.
    """
    _require(gains, null_odds, "null odds")
    best = total
    order = sorted(
        (key for key in null_odds if key in gains), key=null_odds.__getitem__
    )
    for key, following in zip_longest(order, order[1:]):
        total += gains[key]
        tied = following is not None and null_odds[following] == null_odds[key]
        if total > best and not (keep_ties and tied):
            best, threshold = total, null_odds[key]
    return 100.0 * best / len(gains), threshold


def _choose_scorer(
    golds: Mapping[str, Sequence[str]], rules: str
) -> tuple[Callable[[str, Sequence[str]], tuple[float, float]], str]:
    """Return the scoring function and the name of its rules, "auto" resolved."""
    if not golds:
        raise ValueError("there are no questions to evaluate")
    name = choose_rules(golds.values()) if rules == "auto" else rules
    if name not in ("squad", "cmrc"):
        raise ValueError(f"rules must be 'auto', 'squad' or 'cmrc', not {rules!r}")
    return squad_scores if name == "squad" else cmrc_scores, name


def _average(prefix: str, scores: Collection[tuple[float, float]]) -> dict:
    """Return means in percent and the count under prefixed names; {} for no scores."""
    if not scores:
        return {}
    exact, f1 = (100.0 * sum(part) / len(scores) for part in zip(*scores, strict=True))
    return {f"{prefix}exact": exact, f"{prefix}f1": f1, f"{prefix}total": len(scores)}


def _require(ids: Iterable[str], values: Mapping[str, object], what: str) -> None:
    """Raise ValueError that names the first question without a value."""
    for key in ids:
        if key not in values:
            raise ValueError(f"question {key!r} has no {what}")
