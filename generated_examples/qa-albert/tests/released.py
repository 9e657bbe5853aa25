"""What is ALBERT's own in the tests: sizes, order of layers, names in files."""

import numpy as np

import reference

MODEL = "albert"
# Beside those that every encoder has: layer 0 is of group 0, layers 1 and 2 of group 1.
SIZES: dict = {"embedding_size": 6, "num_hidden_groups": 2, "inner_group_num": 2}

# The names as they stand in Google's files and in Hugging Face's, not made by the
# code under test.
GOOGLE = {
    "embeddings_token": "bert/embeddings/word_embeddings",
    "embeddings_position": "bert/embeddings/position_embeddings",
    "embeddings_segment": "bert/embeddings/token_type_embeddings",
    "embeddings_layer_norm": "bert/embeddings/LayerNorm",
    "embeddings_projection": "bert/encoder/embedding_hidden_mapping_in",
    "pooler": "bert/pooler/dense",
    "query": "attention_1/self/query",
    "key": "attention_1/self/key",
    "value": "attention_1/self/value",
    "attention_output": "attention_1/output/dense",
    "attention_layer_norm": "LayerNorm",
    "intermediate": "ffn_1/intermediate/dense",
    "output": "ffn_1/intermediate/output/dense",
    "output_layer_norm": "LayerNorm_1",
}
HUGGING_FACE = {
    "embeddings_token": "embeddings.word_embeddings",
    "embeddings_position": "embeddings.position_embeddings",
    "embeddings_segment": "embeddings.token_type_embeddings",
    "embeddings_layer_norm": "embeddings.LayerNorm",
    "embeddings_projection": "encoder.embedding_hidden_mapping_in",
    "pooler": "pooler",
    "query": "attention.query",
    "key": "attention.key",
    "value": "attention.value",
    "attention_output": "attention.dense",
    "attention_layer_norm": "attention.LayerNorm",
    "intermediate": "ffn",
    "output": "ffn_output",
    "output_layer_norm": "full_layer_layer_norm",
}
# Heads: our variable -> its name in Google's files, and in Hugging Face's.
HEADS = {
    "qa_head/kernel": ("cls/squad/output_weights", "qa_outputs.weight"),
    "qa_head/bias": ("cls/squad/output_bias", "qa_outputs.bias"),
    "classifier/kernel": ("output_weights", "classifier.weight"),
    "classifier/bias": ("output_bias", "classifier.bias"),
    "mlm_transform/kernel": (
        "cls/predictions/transform/dense/kernel",
        "predictions.dense.weight",
    ),
    "mlm_transform/bias": (
        "cls/predictions/transform/dense/bias",
        "predictions.dense.bias",
    ),
    "mlm_layer_norm/gamma": (
        "cls/predictions/transform/LayerNorm/gamma",
        "predictions.LayerNorm.weight",
    ),
    "mlm_layer_norm/beta": (
        "cls/predictions/transform/LayerNorm/beta",
        "predictions.LayerNorm.bias",
    ),
    "mlm_bias/beta": (
        "cls/predictions/output_bias",
        "predictions.bias",
    ),
    "sentence_order_head/kernel": (
        "cls/seq_relationship/output_weights",
        "sop_classifier.classifier.weight",
    ),
    "sentence_order_head/bias": (
        "cls/seq_relationship/output_bias",
        "sop_classifier.classifier.bias",
    ),
}
TORCH = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight"}
LAYER = "bert/encoder/layer_shared"
# The entries of a checkpoint in albert_zh's own layout: 40 tokens, embeddings of 6
# numbers, 20 positions, hidden size 16, intermediate size 24.
ALBERT_ZH = {
    "bert/embeddings/word_embeddings": (40, 6),
    "bert/embeddings/word_embeddings_2": (6, 16),
    "bert/embeddings/position_embeddings": (20, 16),
    "bert/embeddings/token_type_embeddings": (2, 16),
    "bert/embeddings/LayerNorm/gamma": (16,),
    "bert/embeddings/LayerNorm/beta": (16,),
    **{
        f"{place}/{part}": (16, 16) if part == "kernel" else (16,)
        for place in (
            f"{LAYER}/attention/self/query",
            f"{LAYER}/attention/self/key",
            f"{LAYER}/attention/self/value",
            f"{LAYER}/attention/output/dense",
            "bert/pooler/dense",
        )
        for part in ("kernel", "bias")
    },
    f"{LAYER}/attention/output/LayerNorm/gamma": (16,),
    f"{LAYER}/attention/output/LayerNorm/beta": (16,),
    f"{LAYER}/intermediate/dense/kernel": (16, 24),
    f"{LAYER}/intermediate/dense/bias": (24,),
    f"{LAYER}/output/dense/kernel": (24, 16),
    f"{LAYER}/output/dense/bias": (16,),
    f"{LAYER}/output/LayerNorm/gamma": (16,),
    f"{LAYER}/output/LayerNorm/beta": (16,),
}


def blocks(config):
    """Return for each layer the names of the blocks that it runs in turn."""
    depth = config.num_hidden_layers / config.num_hidden_groups
    return [
        [f"group_{int(i / depth)}_inner_{j}" for j in range(config.inner_group_num)]
        for i in range(config.num_hidden_layers)
    ]


def split(key):
    """Return group, inner layer, part and variable; no group outside the layers."""
    layer, variable = key.split("/")
    if not layer.startswith("group_"):
        return None, None, layer, variable
    _, group, _, inner, part = layer.split("_", 4)
    return group, inner, part, variable


def google_name(key):
    """Return the name in Google's checkpoints of `pooler/kernel` and others."""
    group, inner, part, variable = split(key)
    place = GOOGLE[part]
    if group:
        layers = "bert/encoder/transformer"
        place = f"{layers}/group_{group}/inner_group_{inner}/{place}"
    return place if variable == "embeddings" else f"{place}/{variable}"


def hugging_face_name(key):
    """Return the name in Hugging Face's files, without `albert.`."""
    group, inner, part, variable = split(key)
    place = HUGGING_FACE[part]
    if group:
        layers = f"encoder.albert_layer_groups.{group}.albert_layers.{inner}"
        place = f"{layers}.{place}"
    return f"{place}.{TORCH.get(variable, variable)}"


class AlbertZh:
    """The graph of albert_zh's modeling.py, of three layers with two heads each.

    Tokens' vectors are widened before position and segment are added. `widen` can ask
    for the other order, to see that it is far away.
    """

    def __init__(self, arrays, ln_type, widen="before the sum"):
        self.arrays = {name: array.astype("float64") for name, array in arrays.items()}
        self.ln_type, self.widen = ln_type, widen

    def dense(self, x, place):
        return x @ self.arrays[f"{place}/kernel"] + self.arrays[f"{place}/bias"]

    def normalize(self, x, place):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * self.arrays[f"{place}/gamma"] + self.arrays[f"{place}/beta"]

    def attend(self, x, mask):
        batch, length, width = x.shape
        parts = (
            self.dense(x, f"{LAYER}/attention/self/{name}")
            .reshape(batch, length, 2, width // 2)
            .transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        mixed = reference.attention(*parts, (mask == 0)[:, None, None, :])
        mixed = mixed.transpose(0, 2, 1, 3).reshape(x.shape)
        return self.dense(mixed, f"{LAYER}/attention/output/dense")

    def feed_forward(self, x):
        wide = reference.gelu_new(self.dense(x, f"{LAYER}/intermediate/dense"))
        return self.dense(wide, f"{LAYER}/output/dense")

    def embed(self, ids, segments):
        place = "bert/embeddings"
        token, matrix, position, segment = (
            self.arrays[f"{place}/{name}_embeddings{end}"]
            for name, end in (
                ("word", ""),
                ("word", "_2"),
                ("position", ""),
                ("token_type", ""),
            )
        )
        others = segment[segments] + position[: ids.shape[1]]
        if self.widen == "before the sum":
            total = token[ids] @ matrix + others
        else:  # wrong here, and right in Google's ALBERT: the tables' first columns
            total = (token[ids] + others[..., : token.shape[1]]) @ matrix
        return self.normalize(total, f"{place}/LayerNorm")

    def forward(self, inputs):
        hidden = self.embed(inputs["input_ids"], inputs["segment_ids"])
        first, second = (
            f"{LAYER}/{place}/LayerNorm" for place in ("attention/output", "output")
        )
        mask, states = inputs["attention_mask"], []
        for _ in range(3):
            if self.ln_type == "preln":
                hidden = hidden + self.attend(self.normalize(hidden, first), mask)
                hidden = hidden + self.feed_forward(self.normalize(hidden, second))
            else:
                hidden = self.normalize(hidden + self.attend(hidden, mask), first)
                hidden = self.normalize(hidden + self.feed_forward(hidden), second)
            states.append(hidden)
        pooled = np.tanh(self.dense(hidden[:, 0], "bert/pooler/dense"))
        return {
            "hidden_states": np.stack(states, 1),
            "sequence_output": hidden,
            "pooled_output": pooled,
        }
