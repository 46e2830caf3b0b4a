"""The plain values of a HyperPyYAML file, read without making any object."""

import json
import re
from collections.abc import Mapping

import yaml


class PlainLoader(yaml.SafeLoader):
    """Reads plain values as hyperpyyaml does; what has a tag is None.

    Example
    -------
    >>> yaml.load("a: 1e-3\\nb: !new:x.Y", PlainLoader)
    {'a': 0.001, 'b': None}
    """


PlainLoader.add_multi_constructor("!", lambda *_: None)
# YAML 1.1 takes 1e-3 for a text; 1.2, which hyperpyyaml reads, for a number.
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def one_value(text: str) -> str:
    """Returns YAML of the one value that a text on a command line stands for.

    A number, a list in brackets, a mapping in braces, a quoted text and a tag
    stay as they are. What YAML would read as something else than it looks
    like (a comment after ``#``, a mapping after ``:``) becomes a quoted text.

    Example
    -------
    >>> one_value("[1, 2]"), one_value("cuda:0"), one_value("/data/a #1")
    ('[1, 2]', 'cuda:0', '"/data/a #1"')
    """
    plain = text.strip()
    quoted = json.dumps(plain, ensure_ascii=False)
    if plain.startswith("!"):
        return plain
    try:
        value = yaml.load(plain, PlainLoader)
    except yaml.YAMLError:
        return quoted
    looks = {dict: "{", list: "["}.get(type(value))
    if isinstance(value, str) and not plain.startswith(("'", '"')):
        fits = value == plain
    elif value is None:
        fits = plain.lower() in ("null", "~")
    else:
        fits = looks is None or plain.startswith(looks)
    return plain if fits else quoted


def plain_values(text: str, overrides: Mapping[str, str]) -> dict:
    """Returns the plain top-level values of a YAML under overrides."""
    changed = {k: yaml.load(v, PlainLoader) for k, v in overrides.items()}
    return {**yaml.load(text, PlainLoader), **changed}
