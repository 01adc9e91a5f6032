"""A text is read in the encoding that it is certainly in, or refused, and a plain one says nothing but itself."""

import pytest

from index.article import Article, article_id_for
from tests.fakes import STORY, article, read, reason, sha256

pytestmark = pytest.mark.usefixtures("_in_an_empty_folder")


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_unicode_with_or_without_its_mark_is_read(name: str, encoding: str) -> None:
    data = "Müller’s “café” – 東京 😀".encode(encoding)
    assert article(name, data) == Article(
        id=article_id_for(url=None, text="Müller’s “café” – 東京 😀"),
        text="Müller’s “café” – 東京 😀",
        raw_sha256=sha256(data),
        metadata={"file": name},
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_known_by_its_zeros(encoding: str) -> None:
    read_back = article("a.txt", STORY.encode(encoding))
    assert (read_back.text, read_back.metadata["encoding"]) == (STORY, encoding)


LEGACY = [
    ("cp1252", "The minister said the café’s owner had “no choice” — the bill was £1.2 million."),
    (
        "cp1252",
        "Der Bundeskanzler erklärte, die Maßnahmen würden für die Länder gelten. Es hieß in München, das genügt.",
    ),
    ("cp1251", "Министр заявил, что переговоры продолжатся на следующей неделе в Женеве."),
    ("koi8_r", "Министр заявил, что переговоры продолжатся на следующей неделе в Женеве."),
    ("cp949", "총리는 화요일 새로운 경제 대책을 발표했다. 정부는 다음 달부터 지원금을 지급할 방침이다."),
    ("gb18030", "总理星期二宣布了新的经济措施。政府计划从下个月起向有孩子的家庭发放补贴。"),
    ("cp932", "首相は火曜日、新しい経済対策を発表した。政府は来月から子育て世帯に給付金を支給する方針だ。"),
]


@pytest.mark.parametrize(("encoding", "text"), LEGACY)
def test_a_legacy_encoding_that_is_certain_is_read_and_named(encoding: str, text: str) -> None:
    read_back = article("a.txt", text.encode(encoding))
    assert (read_back.text, read_back.metadata) == (text, {"encoding": encoding, "file": "a.txt"})


def test_the_lines_beyond_ascii_decide_wherever_they_stand() -> None:
    text = "Nothing of the kind in the line.\n" * 20_000 + "Министр заявил, что переговоры продолжатся."
    assert article("a.txt", text.encode("cp1251")).text == text


def test_a_line_of_a_legacy_encoding_may_be_longer_than_the_sample() -> None:
    text = "Министр заявил, что переговоры продолжатся. " * 3_000
    assert article("a.txt", text.encode("cp1251")).text == text.strip()


def test_letters_that_could_be_of_two_encodings_are_refused() -> None:
    data = "Vláda schválila rozpočet na příští rok.".encode("cp1250")
    assert reason("a.txt", data) == "byte 0xe1 at position 2 is not UTF-8; save it as UTF-8"


def test_letters_that_make_no_words_are_refused() -> None:
    data = "Der Bundeskanzler erklärte, die Maßnahmen würden für Übergangsfälle gelten.".encode("mac_roman")
    assert reason("a.txt", data) == "byte 0x8a at position 22 is not UTF-8; save it as UTF-8"


def test_invalid_utf8_fails_with_its_place() -> None:
    data = b"Leaders met \xff in Paris."
    assert reason("story.txt", data) == "byte 0xff at position 12 is not UTF-8; save it as UTF-8"


def test_damaged_utf8_is_not_taken_for_a_legacy_encoding() -> None:
    data = "The café’s bill was £1.2 million, the owner said.".encode() + b"\xe2\x80"
    assert reason("a.txt", data) == "byte 0xe2 at position 53 is not UTF-8; save it as UTF-8"


def test_a_mark_promises_an_encoding() -> None:
    assert reason("a.txt", b"\xff\xfea") == "byte 0x61 at position 2 is not UTF-16-LE; save it as UTF-8"


def test_japanese_in_seven_bits_is_not_taken_for_ascii() -> None:
    data = "首相は火曜日、新しい経済対策を発表した。".encode("iso2022_jp")
    assert reason("a.txt", data) == "is written in ISO-2022-JP; save it as UTF-8"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.json"])
def test_a_binary_file_fails(name: str) -> None:
    data = bytes(range(256)) * 4
    start = r"b'\x00\x01\x02\x03\x04\x05\x06\x07'"
    assert reason(name, data) == f"looks binary, its first bytes are {start}; save it as UTF-8 if it is text"


def test_a_suffix_that_lies_is_noticed() -> None:
    assert reason("a.txt", b"%PDF-1.7\nhello") == "begins like a PDF, not like text; save its text as UTF-8"


def test_some_nuls_are_removed() -> None:
    assert article("a.txt", "Leaders met\0 in Paris.").text == "Leaders met in Paris."


# Plain text


def test_plain_text_says_nothing_but_its_text() -> None:
    content = "\n \nParis, Thursday\r\n\r\nLeaders met.\u200b\n\n"
    text = "Paris, Thursday\n\nLeaders met."
    assert read("news/a.txt", content) == [
        Article(
            id=article_id_for(url=None, text=text),
            text=text,
            raw_sha256=sha256(content),
            metadata={"file": "a.txt"},
        )
    ]


def test_front_matter_is_for_markdown_alone() -> None:
    assert article("a.text", "---\ntitle: A\n---\nB").text == "---\ntitle: A\n---\nB"
