"""Reads cases, a line of JSON each, and says for each whether values changed the structure of the file: by readers that are not ours.

A case has the format, the file with words in the place of the values ("meant"), the file itself ("is"), the file with a word behind each
value ("behind"), and the values by their words. The answer is intact, changed, own (a value became a map, a list or
elements of one in its own place),
or unknown (a reader does not take the file).
"""

import configparser
import functools
import io
import json
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET

import yaml

WORD = re.compile(r"zzw[a-j]+zz")
MADE = re.compile(r"zzw[a-j]+zz", re.I)  # of a word, by a function
TAIL = re.compile(r"zzt[a-j]+zz")
MERGE = "tag:yaml.org,2002:merge"


class Own(Exception):
    pass


def leaf(text, style="", tag=""):
    return ("leaf", text, style, tag)


# Trees: ("leaf", text, style, tag), ("list", flow, children), ("map", flow, [(key, value)…]), ("element", name, attributes, children).


def from_yaml(text):
    def node(n):
        if isinstance(n, yaml.ScalarNode):
            return leaf(n.value, n.style or "", MERGE if n.tag == MERGE else "")
        if isinstance(n, yaml.SequenceNode):
            return ("list", bool(n.flow_style), [node(c) for c in n.value])
        return ("map", bool(n.flow_style), [(node(k), node(v)) for k, v in n.value])

    return ("list", False, [node(n) for n in yaml.compose_all(text, Loader=yaml.SafeLoader)])


def from_json(text):
    def value(v):
        if isinstance(v, list):
            return ("list", True, [value(c) for c in v])
        if isinstance(v, Pairs):
            return ("map", True, [(leaf(k, '"'), value(c)) for k, c in v.pairs])
        return leaf(v if isinstance(v, str) else json.dumps(v), '"')

    class Pairs:
        def __init__(self, pairs):
            self.pairs = pairs

    return value(json.loads(text, object_pairs_hook=Pairs))


def from_toml(text):
    def value(v):
        if isinstance(v, list):
            return ("list", True, [value(c) for c in v])
        if isinstance(v, dict):
            return ("map", True, [(leaf(k, '"'), value(c)) for k, c in v.items()])
        return leaf(v if isinstance(v, str) else repr(v), '"')

    return value(tomllib.loads(text))


def from_ini(text):
    """configparser's sections and options; a line that it would take for the next line of a value is one of its own for others."""
    text = "\n".join(line.strip() for line in text.split("\n"))
    p = configparser.RawConfigParser(allow_no_value=True, default_section="\0", empty_lines_in_values=False)
    p.optionxform = str
    p.read_string("[\1]\n" + text)
    return ("list", False, [("map", False, [(leaf(s), ("map", False, [(leaf(k), leaf(v or "")) for k, v in p.items(s)]))]) for s in p.sections()])


def from_dotenv(text):
    """The variables that sh sets."""
    script = 'set -a; . /dev/stdin; exec /usr/bin/env -0'
    run = subprocess.run(["/bin/dash", "-euc", script], input=text.encode(), env={}, capture_output=True, check=True)
    if run.stderr:
        raise ValueError
    pairs = [v.split("=", 1) for v in run.stdout.decode().split("\0") if "=" in v]
    return ("map", False, [(leaf(k, '"'), leaf(v, '"')) for k, v in sorted(pairs) if k not in ("PWD", "OLDPWD", "_")])


def from_properties(text):
    sys.path.append("/usr/lib/python3/dist-packages")  # where Debian has it
    import javaproperties

    pairs = []
    javaproperties.load(io.BytesIO(text.encode()), object_pairs_hook=pairs.extend)
    return ("map", False, [(leaf(k), leaf(v)) for k, v in pairs])


def from_xml(text):
    def node(e):
        children = []
        if e.text and e.text.strip():
            children.append(leaf(e.text.strip(), '"'))
        for c in e:
            children.append(node(c))
            if c.tail and c.tail.strip():
                children.append(leaf(c.tail.strip(), '"'))
        return ("element", e.tag, [(leaf(k, '"'), leaf(v, '"')) for k, v in e.attrib.items()], children)

    return node(ET.fromstring(text))


READERS = {"yaml": from_yaml, "json": from_json, "toml": from_toml, "ini": from_ini, "dotenv": from_dotenv, "properties": from_properties, "xml": from_xml}


def printed(text, values):
    return WORD.sub(lambda m: values.get(m.group(), ""), text)


def same(meant, is_, values):
    if meant[0] == "leaf" and WORD.search(meant[1]):
        if is_[0] != "leaf":
            if is_[0] in ("list", "map") and WORD.fullmatch(meant[1]) and meant[2] == "":
                raise Own
            if is_[0] in ("list", "map") and WORD.fullmatch(meant[1]) and is_[1]:
                raise Own
            return False
        if meant[2] == "" and is_[2] == "":
            return is_[3] == meant[3] and printed(meant[1], values).strip() == is_[1].strip()
        if meant[2] == "" and not WORD.fullmatch(meant[1]):
            return False
        return True
    if meant[0] == "leaf":
        if MADE.search(meant[1]):
            return is_[0] == "leaf"
        return is_[0] == "leaf" and meant[1] == is_[1] and meant[3] == is_[3]
    if meant[0] != is_[0]:
        return False
    if meant[0] == "element":
        if len(meant[3]) == 1 and meant[3][0][0] == "leaf" and meant[3][0][1] in values and is_[3] and is_[3][0][0] != "leaf":
            raise Own
        if not WORD.search(meant[1]) and meant[1] != is_[1]:
            return False
        return pairs(meant[2], is_[2], values) and all_same(meant[3], is_[3], values)
    if meant[0] == "list" and meant[1] and len(meant[2]) != len(is_[2]):
        if any(c[0] == "leaf" and WORD.fullmatch(c[1]) and c[2] == "" for c in meant[2]):
            raise Own
    if meant[0] == "map":
        return pairs(meant[2], is_[2], values)
    return all_same(meant[2], is_[2], values)


def pairs(meant, is_, values):
    return len(meant) == len(is_) and all(same(a, c, values) and same(b, d, values) for (a, b), (c, d) in zip(meant, is_))


def all_same(meant, is_, values):
    return len(meant) == len(is_) and all(same(a, b, values) for a, b in zip(meant, is_))


def texts(tree):
    if tree[0] == "leaf":
        yield tree[1]
    elif tree[0] == "map":
        for k, v in tree[2]:
            yield from texts(k)
            yield from texts(v)
    elif tree[0] == "list":
        for c in tree[2]:
            yield from texts(c)
    else:
        yield tree[1]
        for k, v in tree[2]:
            yield from texts(k)
            yield from texts(v)
        for c in tree[3]:
            yield from texts(c)


@functools.lru_cache(maxsize=16)
def parsed(name, text):
    return READERS[name](text)


def judge(case):
    def read(text):
        return parsed(case["format"], text)

    try:
        meant, is_ = read(case["meant"]), read(case["is"])
    except Exception:
        return "unknown"
    try:
        if not same(meant, is_, case["values"]):
            return "changed"
    except Own:
        return "own"
    try:
        behind = read(case["behind"])
    except Exception:
        return "intact"
    out = {w for t in texts(behind) for w in TAIL.findall(t)}
    for t in texts(meant):
        for w in WORD.findall(t):
            tail = w.replace("zzw", "zzt")
            if tail in case["behind"] and tail not in out and case["values"].get(w, "").strip():
                return "changed"
    return "intact"


for line in sys.stdin:
    print(judge(json.loads(line)), flush=True)
