"""RFC 2047: text of any script as the ASCII that headers may carry, as S3 keeps its users' metadata.

S3 takes the form of a word from what the text mostly is, which clients that compare can see: `Q` for mostly ASCII,
otherwise `B`.
"""

from base64 import b64encode
from email.errors import HeaderParseError
from email.header import decode_header, make_header

#: What RFC 2047 lets one word be, without its frame `=?UTF-8?Q?…?=`.
_WORD_MAX = 75 - len("=?UTF-8?Q??=")
_Q_ESCAPED = b"=_?"


def encoded(text: str) -> str:
    """The text itself if it is ASCII, otherwise words of it, the longer ones halved until they fit."""
    others = sum(not _is_plain(character) for character in text)
    if not others:
        return text
    form = "Q" if len(text) - others > others else "B"
    return " ".join(f"=?UTF-8?{form}?{word}?=" for word in _words(text, form))


def decoded(text: str) -> str:
    """What the words of the text stand for; as it is, where they stand for nothing."""
    if "=?" not in text:
        return text
    try:
        found = str(make_header(decode_header(text)))
        found.encode()  # some charsets can say what no text can be
    except (HeaderParseError, LookupError, ValueError):
        return text
    return found


def _is_plain(character: str) -> bool:
    return " " <= character <= "~" or character == "\t"


def _words(text: str, form: str) -> list[str]:
    word = b64encode(text.encode()).decode() if form == "B" else _quoted(text)
    if len(word) <= _WORD_MAX or len(text) == 1:
        return [word]
    half = len(text) // 2
    return [*_words(text[:half], form), *_words(text[half:], form)]


def _quoted(text: str) -> str:
    return "".join(
        "_"
        if byte == 0x20
        else chr(byte)
        if 0x20 < byte < 0x7F and byte not in _Q_ESCAPED
        else f"={byte:02X}"
        for byte in text.encode()
    )
