"""What is ALBERT's own in the tests: sizes, order of layers, names in files."""

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
TORCH = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight"}


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
