"""Text as an attacker would have AWS show it, and what must not come out of any sink that it reaches."""

import html.parser
import json
import re
import unicodedata

# What each sink might take for more than text. Some fields are cut: turns put another piece first.
PIECES = ["\r\nX-Injected: yes\r\n\r\n", "\x1b]0;owned\x07\x1b[31m", "\u202egnp.\u2066x\u2069\u200f\u061c", "\x9b2J\x85\u2028\u2029\x7f",
          "\"'`\\\",\"injected\":\"", "%s%n${HOME}$(id)", "{{ id }}", "<script>alert(1)</script><img src=x onerror=x>&lt;",
          "<!channel> <https://evil.example/|x> [x](https://evil.example/)", "\x00\ufeff", "é漢😀"]
MARK = re.compile(r"zq([a-z]+)\.")
BIDI = {0x61c, 0x200e, 0x200f, *range(0x2028, 0x202f), *range(0x2066, 0x206a), 0xfeff}


def hostile(field, turn=0, room=None):
    """A value of `field`: its mark, and all pieces, from that of the turn on; cut to `room` characters."""
    text = f"zq{field}." + "".join(PIECES[turn % len(PIECES):] + PIECES[:turn % len(PIECES)])
    return text if room is None else text[:room]


def in_xml(text):
    """What of it an XML document can hold."""
    return "".join(character for character in text if character >= " " or character in "\t\r\n")


def marks(text):
    """The fields whose text stands in there."""
    return set(MARK.findall(text))


def harm(text, allowed="\n"):
    """The first character that moves a cursor, ends a line for some reader or changes the order of a line; or None."""
    for at, character in enumerate(text):
        if character not in allowed and (unicodedata.category(character) == "Cc" or ord(character) in BIDI):
            return f"U+{ord(character):04X} in {text[max(0, at - 40):at + 20]!r}"
    return None


def strings(value):
    """Every text of a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield key
            yield from strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from strings(below)


def strict_json(body):
    """One document of valid UTF-8, without a raw control character and without a key given twice."""
    text = body.decode("utf-8", "strict") if isinstance(body, bytes) else body
    if any(character < " " for character in text.rstrip("\n")):
        raise ValueError(f"a raw control character: {harm(text, '')}")

    def pairs(found):
        if len({key for key, _ in found}) != len(found):
            raise ValueError(f"a key twice: {[key for key, _ in found]}")
        return dict(found)
    return json.loads(text, object_pairs_hook=pairs)


class Page(html.parser.HTMLParser):
    """The elements and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.links, self.attributes, self.text = set(), [], set(), ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{{{LABEL}(?:,{LABEL})*\}})? (?:[-+0-9.eE]+|NaN|[+-]Inf)")
COMMENT = re.compile(r"# (?:HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* [^\r]*")


def wrong_metrics(text):
    """The lines that are no line of Prometheus' text format."""
    return [line for line in text.split("\n") if line and not SAMPLE.fullmatch(line) and not COMMENT.fullmatch(line)]
