"""What is BERT's own in the tests: sizes, order of layers, names in files."""

MODEL = "bert"
SIZES: dict = {}  # beside those that every encoder has

# The names as they stand in the files, not made by the code under test.
PLACES = {
    "embeddings_token": "embeddings/word_embeddings",
    "embeddings_position": "embeddings/position_embeddings",
    "embeddings_segment": "embeddings/token_type_embeddings",
    "embeddings_layer_norm": "embeddings/LayerNorm",
    "pooler": "pooler/dense",
    "query": "attention/self/query",
    "key": "attention/self/key",
    "value": "attention/self/value",
    "attention_output": "attention/output/dense",
    "attention_layer_norm": "attention/output/LayerNorm",
    "intermediate": "intermediate/dense",
    "output": "output/dense",
    "output_layer_norm": "output/LayerNorm",
}
# Heads: our variable -> its name in Google's files, and in Hugging Face's.
HEADS = {
    "qa_head/kernel": ("cls/squad/output_weights", "qa_outputs.weight"),
    "qa_head/bias": ("cls/squad/output_bias", "qa_outputs.bias"),
    "classifier/kernel": ("output_weights", "classifier.weight"),
    "classifier/bias": ("output_bias", "classifier.bias"),
    "mlm_transform/kernel": (
        "cls/predictions/transform/dense/kernel",
        "cls.predictions.transform.dense.weight",
    ),
    "mlm_transform/bias": (
        "cls/predictions/transform/dense/bias",
        "cls.predictions.transform.dense.bias",
    ),
    "mlm_layer_norm/gamma": (
        "cls/predictions/transform/LayerNorm/gamma",
        "cls.predictions.transform.LayerNorm.weight",
    ),
    "mlm_layer_norm/beta": (
        "cls/predictions/transform/LayerNorm/beta",
        "cls.predictions.transform.LayerNorm.bias",
    ),
    "mlm_bias/beta": (
        "cls/predictions/output_bias",
        "cls.predictions.bias",
    ),
    "sentence_order_head/kernel": (
        "cls/seq_relationship/output_weights",
        "cls.seq_relationship.weight",
    ),
    "sentence_order_head/bias": (
        "cls/seq_relationship/output_bias",
        "cls.seq_relationship.bias",
    ),
}
TORCH = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight"}


def blocks(config):
    """Return for each layer the names of the blocks that it runs in turn."""
    return [[f"layer_{index}"] for index in range(config.num_hidden_layers)]


def google_name(key):
    """Return the name in Google's checkpoints of `layer_0_query/kernel` and others."""
    layer, variable = key.split("/")
    if layer.startswith("layer_"):
        number, part = layer.removeprefix("layer_").split("_", 1)
        place = f"encoder/layer_{number}/{PLACES[part]}"
    else:
        place = PLACES[layer]
    return f"bert/{place}" if variable == "embeddings" else f"bert/{place}/{variable}"


def hugging_face_name(key):
    """Return the name in Hugging Face's files, without `bert.`."""
    variable = key.split("/")[1]
    name = google_name(key).removeprefix("bert/").replace("layer_", "layer.")
    place = name.removesuffix(f"/{variable}").replace("/", ".")
    return f"{place}.{TORCH.get(variable, variable)}"
