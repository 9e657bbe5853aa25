"""From logits to tokens: blanks are filled in their places, masks are scored."""

import dataclasses
import math

import numpy as np
import pytest

from masked_lm_albert import decoding
from masked_lm_albert.config import TrainConfig
from masked_lm_albert.dataset import (
    documents,
    evaluation_rows,
    example_from_texts,
)
from masked_lm_albert.documents import (
    make_document,
)
from masked_lm_albert.errors import UserError
from masked_lm_albert.features import (
    make_features,
)
from masked_lm_albert.tokenizer import train_tokenizer

TEXTS = [
    f"The keeper of lamp {number} climbs at dusk. He counts {number} steps. "
    f"Nobody sees lamp {number} from the Café, but the ferry does."
    for number in range(12)
]
CONFIG = TrainConfig(
    max_length=32, batch_size=4, cache_dir="", sentence_order="nsp", max_ngram=1
)
SURE = 8.0  # logit of the oracle's choice; all others are 0


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the texts."""
    return train_tokenizer(TEXTS, vocab_size=200)


@pytest.fixture
def examples():
    """Return some documents."""
    return [make_document(f"id{n}", text, f"t:{n}") for n, text in enumerate(TEXTS)]


class Oracle:
    """Stands for a model: gives high logits to the targets, or to one token."""

    def __init__(self, rows, size, token=None):
        self.answers, self.size, self.token = {}, size, token
        for row in range(len(rows.packing.order)):
            inputs, targets = rows.collate(np.array([row]))
            self.answers[self.key(inputs, 0)] = (targets["mlm"][0], targets["order"][0])

    def key(self, inputs, row):
        """Return what a row is known by."""
        ids = inputs["input_ids"][row][inputs["attention_mask"][row] > 0]
        return ids.tobytes()

    def predict_on_batch(self, inputs):
        """Return the logits of each row."""
        shape = (*inputs["masked_positions"].shape, self.size)
        mlm, order = np.zeros(shape, "float32"), np.zeros((shape[0], 2), "float32")
        for row in range(shape[0]):
            targets, label = self.answers[self.key(inputs, row)]
            for index, target in enumerate(targets[: shape[1]]):
                mlm[row, index, target if self.token is None else self.token] = SURE
            order[row, max(label, 0)] = SURE
        return {"mlm": mlm, "order": order}


def predict(examples, tokenizer, config=CONFIG, token=None):
    """Return the predictions from an oracle."""
    features = make_features(documents(examples), tokenizer, config)
    rows = evaluation_rows(features, tokenizer, config)
    oracle = Oracle(rows, tokenizer.get_vocab_size(), token)
    return decoding.predict(oracle, examples, tokenizer, config)


@pytest.mark.parametrize("order", ["nsp", "sop", "none"])
def test_masks_stand_where_their_tokens_are(examples, tokenizer, order):
    """A mask's place in the text is that of the token which is expected there."""
    config = dataclasses.replace(CONFIG, sentence_order=order)
    predictions = predict(examples, tokenizer, config)
    assert [each["id"] for each in predictions] == [each.id for each in examples]
    count = 0
    for example, prediction in zip(examples, predictions, strict=True):
        for mask in prediction["masks"]:
            given = example.text[mask["start"] : mask["end"]].lower()
            given = given.replace("é", "e")
            assert mask["token"] == mask["expected"]
            assert mask["token"].removeprefix("##") == given
            count += 1
        folded = example.text.lower().replace("é", "e")
        assert prediction["text"].lower().replace("é", "e") == folded
    assert count > 40


def test_scores(examples, tokenizer):
    """An oracle is always right, and its loss is that of its logits."""
    predictions = predict(examples, tokenizer)
    scores = decoding.evaluate(examples, predictions, CONFIG)
    size = tokenizer.get_vocab_size()
    loss = math.log(math.exp(SURE) + size - 1) - SURE
    assert scores["mlm_accuracy"] == scores["order_accuracy"] == 100.0
    assert scores["mlm_loss"] == pytest.approx(loss)
    assert scores["perplexity"] == pytest.approx(math.exp(loss))
    masks = [mask for each in predictions for mask in each["masks"]]
    assert scores["masked"] == len(masks) and scores["total"] == 12
    labels = {order["expected"] for each in predictions for order in each["orders"]}
    assert labels == {0, 1}
    wrong = predict(examples, tokenizer, token=tokenizer.token_to_id("dusk"))
    scores = decoding.evaluate(examples, wrong, CONFIG)
    assert scores["mlm_accuracy"] < 20 and scores["mlm_loss"] > SURE / 2


def test_blanks_are_filled(tokenizer):
    """Each blank gets its tokens; the text around it stays as it is."""
    example = example_from_texts(["The [MASK] at Dusk,", "by the Café [MASK]!"])
    token = tokenizer.token_to_id("lamp")
    (found,) = predict([example], tokenizer, token=token)
    assert found["text"] == "The lamp at Dusk,\nby the Café lamp!"
    assert [mask["start"] for mask in found["masks"]] == [4, 32]
    assert all(mask["end"] - mask["start"] == 6 for mask in found["masks"])
    assert all("expected" not in mask for mask in found["masks"])
    best = found["masks"][0]["n_best"]
    assert len(best) == CONFIG.n_best and best[0]["token"] == "lamp"
    assert best[0]["score"] == found["masks"][0]["score"] > 0.9
    scores = [each["score"] for each in best]
    assert scores == sorted(scores, reverse=True)
    assert len(decoding.shorten(found, 2)["masks"][0]["n_best"]) == 2
    shown = decoding.show(example, found, 2)
    assert "filled: The lamp at Dusk" in shown and shown.count("blank: lamp") == 2


def test_texts_without_a_blank_are_refused():
    """On the command line, a text must say what is missing."""
    with pytest.raises(UserError, match=r"no \[MASK\]"):
        example_from_texts(["The lamp at dusk"])


def test_empty_documents_have_no_masks(examples, tokenizer):
    """A document without text gets a prediction without masks, in its place."""
    empty = make_document("empty", " ", "t:9")
    predictions = predict([examples[0], empty, examples[1]], tokenizer)
    assert [each["id"] for each in predictions] == ["id0", "empty", "id1"]
    assert predictions[1]["masks"] == []


def test_page_of_surprises(examples, tokenizer, tmp_path):
    """The page shows the token, what was likelier, and the text around it, escaped."""
    examples[0] = make_document("id<0>", TEXTS[0].replace("dusk", "<dusk>"), "t:0")
    predictions = predict(examples, tokenizer, token=tokenizer.token_to_id("ferry"))
    written = decoding.write_report(tmp_path, examples, predictions, CONFIG)
    assert written == ["errors.html"]
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert "Likelier: <span class='predicted'>ferry" in page
    assert "<dusk>" not in page and "id&lt;0&gt;" in page
