"""Trusted documents: GraphQL documents that a company has listed, each by the hash of its text.

An id is that of "Persisted Documents", an appendix of GraphQL over HTTP: https://github.com/graphql/graphql-over-http
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rules.broken import BrokenRule, Path

MOST_TRUSTED_DOCUMENTS = 5_000  # of one portal
LONGEST_ID = 200

_PREFIX = "sha256:"
_HASH = re.compile(r"[0-9a-f]{64}")


class OperationType(StrEnum):
    """What the one operation of a trusted document is."""

    QUERY = "QUERY"
    MUTATION = "MUTATION"
    SUBSCRIPTION = "SUBSCRIPTION"


class PersistedDocumentNotFound(BrokenRule):
    """A request names a document by its hash that is not on the portal's list."""

    english = "No document of this portal has this documentId."
    german = "Kein Dokument dieses Portals hat diese documentId."


class TrustedDocumentRequired(BrokenRule):
    """A request brings a document that is not on the list of a portal which runs no others."""

    english = "This portal runs only the documents on its list. Name one by documentId."
    german = "Dieses Portal führt nur die Dokumente seiner Liste aus. Nennen Sie eines mit documentId."


class ManifestInvalid(BrokenRule):
    """A text is no manifest of persisted documents that is known here."""

    english = (
        "This is no manifest: it is JSON that maps hashes to documents, as GraphQL Code Generator and Relay write it, or "
        "Apollo's persisted query manifest, version 1. An id has up to 200 characters."
    )
    german = (
        "Das ist kein Manifest: Es ist JSON, das Hashes auf Dokumente abbildet, wie GraphQL Code Generator und Relay es "
        "schreiben, oder Apollos Persisted Query Manifest, Version 1. Eine Kennung hat bis zu 200 Zeichen."
    )


@dataclass(eq=False, kw_only=True)
class DocumentHashWrong(BrokenRule):
    """A manifest calls a document by something else than the SHA-256 of its text."""

    english = "The SHA-256 of this document is {expected}. Let the manifest be made with sha256."
    german = "Der SHA-256-Hash dieses Dokuments ist {expected}. Lassen Sie das Manifest mit sha256 erzeugen."

    expected: str


@dataclass(eq=False, kw_only=True)
class TrustedDocumentInvalid(BrokenRule):
    """A document could not be run: it does not fit the schema, asks for too much, or has not exactly one operation."""

    english = "This document cannot be run: {reason}."
    german = "Dieses Dokument kann nicht ausgeführt werden: {reason}."

    reason: str


@dataclass(eq=False, kw_only=True)
class TooManyTrustedDocuments(BrokenRule):
    """A portal has as many documents on its list as it may have."""

    english = "There can be at most {most} documents on the list; remove those that no client uses any more."
    german = (
        "Auf der Liste können höchstens {most} Dokumente stehen; entfernen Sie, was kein Client mehr nutzt."
    )

    most: int = MOST_TRUSTED_DOCUMENTS


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a manifest has it: what it is called there, its text, and where it stands."""

    id: str
    text: str
    place: Path


def hash_of(text: str) -> str:
    """The SHA-256 of a document's text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def document_id(hash: str) -> str:
    """What a request names a document of this hash by."""
    return _PREFIX + hash


def hash_named_by(document_id: str) -> str | None:
    """The hash in a documentId; None when it is of another kind than `sha256:` with 64 small hexadecimal digits."""
    digest = document_id.removeprefix(_PREFIX)
    return digest if document_id.startswith(_PREFIX) and _HASH.fullmatch(digest) else None


def check_hash(listed: ListedDocument) -> None:
    """Manifests say the hash with its prefix or without. Raises DocumentHashWrong."""
    digest = hash_of(listed.text)
    if listed.id.removeprefix(_PREFIX) != digest:
        raise DocumentHashWrong(expected=document_id(digest))


def read_manifest(manifest: str) -> list[ListedDocument]:
    """The documents of a manifest, in its order. Raises ManifestInvalid.

    GraphQL Code Generator's client preset (persisted-documents.json) and Relay write {id: text}; Apollo's tools
    {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id", "name", "type", "body"}]}.
    """
    try:
        content = json.loads(manifest, object_pairs_hook=_named_once)
    except (ValueError, RecursionError):
        raise ManifestInvalid from None
    if not isinstance(content, dict):
        raise ManifestInvalid
    listed = _of_apollo(content) if "format" in content else _of_map(content)
    if not all(_is_text(each.id, LONGEST_ID) and _is_text(each.text) for each in listed):
        raise ManifestInvalid
    return listed


def _named_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError("two members have one name, and the last would count")
    return named


def _of_map(content: Mapping[str, Any]) -> list[ListedDocument]:
    return [ListedDocument(name, text, (name,)) for name, text in content.items()]


def _of_apollo(content: Mapping[str, Any]) -> list[ListedDocument]:
    operations = content.get("operations")
    is_known = (content["format"], content.get("version")) == ("apollo-persisted-query-manifest", 1)
    if not is_known or not isinstance(operations, list):
        raise ManifestInvalid
    if not all(isinstance(each, dict) for each in operations):
        raise ManifestInvalid
    return [
        ListedDocument(each.get("id"), each.get("body"), ("operations", str(index)))
        for index, each in enumerate(operations)
    ]


def _is_text(value: Any, most: int | None = None) -> bool:
    """Whether it is a text that can be kept and told: JSON can also spell a NUL and half a character."""
    if not isinstance(value, str) or "\0" in value or (most is not None and len(value) > most):
        return False
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)
