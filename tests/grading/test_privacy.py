"""Names stand where staff ask for them, and nowhere else; the seed stands on no page."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_class import SUBMISSIONS

from graders.pseudonyms import new_key, pseudonym, read_key, seed_mark
from pytest_symmetry.errors import SymmetryError

KEY = b"k" * 32


def test_no_file_name_and_no_test_id_names_anybody(graded_class):
    """Whoever sees a folder's listing, a log or a test id learns no name."""
    graded = graded_class / "graded"
    names = re.compile(rf"\b({'|'.join(SUBMISSIONS)})\b")
    lines = [json.loads(x) for x in (graded / "results.jsonl").read_text(encoding="utf-8").splitlines()]

    assert [] == [p for p in graded.rglob("*") if names.search(p.relative_to(graded).as_posix())]
    assert [] == [t["nodeid"] for line in lines for t in line["tests"] if names.search(t["nodeid"])]
    assert all(t["nodeid"].endswith(f"[{x['pseudonym']}]") for x in lines for t in x["tests"])
    assert not names.search((graded / "class.html").read_text(encoding="utf-8"))


def test_a_page_shows_a_mark_of_the_seed_and_never_the_seed(graded_class):
    """With the seed one could write a function that answers just the inputs of the next grading."""
    graded = graded_class / "graded"
    page = next(p for p in graded.glob("feedback/*") if b"<bdi>ben</bdi>" in p.read_bytes()).read_text(
        "utf-8"
    )

    assert f"<dt>Mark of the seed</dt><dd>{seed_mark(KEY, '5')}</dd>" in page
    assert "<dt>Seed</dt>" not in page
    assert all(head in page for head in ("<dt>SHA-256</dt>", "<dt>Isolation</dt>", "<dt>Versions</dt>"))


@given(st.text(), st.text())
def test_pseudonyms_tell_students_apart_and_nothing_else(one, other):
    """The same for the same student and key; without the key they say nothing."""
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)

    assert re.fullmatch(r"[0-9a-f]{16}", pseudonym(KEY, one))
    assert same == (pseudonym(KEY, one) == pseudonym(KEY, other))
    assert pseudonym(KEY, one) != pseudonym(b"j" * 32, one)


def test_a_key_can_be_shared_by_folders(tmp_path):
    """One line of 64 digits; anything else is told."""
    key = new_key()
    (tmp_path / "key").write_text(f"{key.hex()}\n")

    assert key == read_key(tmp_path / "key")
    (tmp_path / "key").write_text("password")
    with pytest.raises(
        SymmetryError, match=r"key: there is no key of pseudonyms in it, 64 hexadecimal digits"
    ):
        read_key(tmp_path / "key")
