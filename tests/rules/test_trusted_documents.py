"""Trusted documents: what they are named by, and which manifests are understood."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.trusted_documents import (
    LONGEST_ID,
    DocumentHashWrong,
    ListedDocument,
    ManifestInvalid,
    check_hash,
    document_id,
    hash_named_by,
    hash_of,
    read_manifest,
)

APOLLO = "apollo-persisted-query-manifest"
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def test_a_document_is_named_as_the_appendix_of_graphql_over_http_says() -> None:
    """https://github.com/graphql/graphql-over-http, the example of SHA256 Hex Document Identifier."""
    text = "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}"
    named = "sha256:7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e"
    assert document_id(hash_of(text)) == named
    assert hash_of("query($id:ID!){user(id:$id){name}}").startswith("71f7dc5758652baac68e4a10c50be732")


@given(TEXTS)
def test_what_names_a_document_leads_back_to_its_hash(text: str) -> None:
    assert hash_named_by(document_id(hash_of(text))) == hash_of(text)


@pytest.mark.parametrize(
    "named",
    [
        "",
        "sha256:",
        "a" * 64,
        f"sha256:{'a' * 63}",
        f"sha256:{'a' * 65}",
        f"sha256:{'A' * 64}",
        f"SHA256:{'a' * 64}",
        f"sha256:{'a' * 64}\n",
        f"sha256:sha256:{'a' * 64}",
        f"md5:{'a' * 32}",
        f" sha256:{'a' * 64}",
    ],
)
def test_other_ids_name_nothing(named: str) -> None:
    assert hash_named_by(named) is None


@given(st.dictionaries(TEXTS.filter(lambda each: each != "format" and len(each) <= LONGEST_ID), TEXTS))
def test_a_map_of_hashes_to_texts_is_a_manifest(content: dict[str, str]) -> None:
    expected = [ListedDocument(name, text, (name,)) for name, text in content.items()]
    assert read_manifest(json.dumps(content)) == expected


@given(st.lists(st.tuples(TEXTS.filter(lambda each: len(each) <= LONGEST_ID), TEXTS)))
def test_apollos_manifest_is_one(pairs: list[tuple[str, str]]) -> None:
    operations = [{"id": name, "body": text, "name": "A", "type": "query"} for name, text in pairs]
    expected = [
        ListedDocument(name, text, ("operations", str(index))) for index, (name, text) in enumerate(pairs)
    ]
    content = {"format": APOLLO, "version": 1, "operations": operations}
    assert read_manifest(json.dumps(content)) == expected


@pytest.mark.parametrize(
    "content",
    [
        [],
        "text",
        None,
        1,
        {"a": 1},
        {"a": None},
        {"a": {"text": "{ a }"}},
        {"a": "{ a }\0"},
        {"a": "\ud800"},
        {"\udfff": "{ a }"},
        {"a" * (LONGEST_ID + 1): "{ a }"},
        {"format": "other", "version": 1, "operations": []},
        {"format": APOLLO, "version": 2, "operations": []},
        {"format": APOLLO, "version": 1},
        {"format": APOLLO, "version": 1, "operations": {}},
        {"format": APOLLO, "version": 1, "operations": ["{ a }"]},
        {"format": APOLLO, "version": 1, "operations": [{"id": "a"}]},
        {"format": APOLLO, "version": 1, "operations": [{"body": "{ a }"}]},
        {"format": APOLLO, "version": 1, "operations": [{"id": 1, "body": "{ a }"}]},
    ],
)
def test_anything_else_is_none(content: Any) -> None:
    with pytest.raises(ManifestInvalid):
        read_manifest(json.dumps(content))


@pytest.mark.parametrize(
    "manifest", ["", "{", "{ portal { slug } }", "[" * 100_000, '{"a": "{ a }", "a": "{ b }"}']
)
def test_what_is_not_json_or_says_one_thing_twice_is_none(manifest: str) -> None:
    with pytest.raises(ManifestInvalid):
        read_manifest(manifest)


@given(TEXTS)
def test_an_id_is_the_hash_with_its_prefix_or_without(text: str) -> None:
    for name in (hash_of(text), document_id(hash_of(text))):
        check_hash(ListedDocument(name, text, ()))


@pytest.mark.parametrize("name", ["", "a", "0" * 40, hash_of("{ b }"), hash_of("{ a }").upper()])
def test_another_id_is_refused_and_the_hash_told(name: str) -> None:
    with pytest.raises(DocumentHashWrong) as refused:
        check_hash(ListedDocument(name, "{ a }", ()))
    assert refused.value.expected == document_id(hash_of("{ a }"))
