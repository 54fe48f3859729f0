"""The storage: all or nothing, in a folder or in memory; and what a bucket signs without being asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from server.settings import Settings
from server.storing import open_storage
from tenants.storage import Bucket, Storage, StorageUnavailable, kept_at, sent_to

TENANT, UPLOAD = UUID(int=1), UUID(int=2)


async def chunks(*parts: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if then is not None:
        raise then


async def content(storage: Storage, key: str) -> bytes | None:
    found = await storage.read(key)
    if found is None:
        return None
    whole = b"".join([chunk async for chunk in found[1]])
    assert len(whole) == found[0]
    return whole


def files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


@pytest.fixture(params=["folder", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage.in_folder(tmp_path / "new" / "files") if request.param == "folder" else Storage.in_memory()


def test_every_key_begins_with_the_tenant_and_is_made_of_ids_alone() -> None:
    for key in (kept_at, sent_to):
        start, _, end = key(TENANT, UPLOAD).split("/")
        assert (UUID(start), UUID(end)) == (TENANT, UPLOAD)
    assert kept_at(TENANT, UPLOAD) != sent_to(TENANT, UPLOAD)


async def test_what_is_written_can_be_read_until_it_is_removed(storage: Storage) -> None:
    key, other = kept_at(TENANT, UPLOAD), kept_at(TENANT, uuid4())
    assert await content(storage, key) is None
    await storage.write(key, chunks(b"a" * 6_000_000, b"", b"b"))
    assert await content(storage, key) == b"a" * 6_000_000 + b"b"
    await storage.write(key, chunks(b"again"))
    assert await content(storage, key) == b"again"
    await storage.remove([other, key, key])
    assert await content(storage, key) is None


@pytest.mark.parametrize("size", [10, 6_000_000])
async def test_what_breaks_off_is_not_there(size: int, storage: Storage, tmp_path: Path) -> None:
    key = kept_at(TENANT, UPLOAD)
    with pytest.raises(ZeroDivisionError):
        await storage.write(key, chunks(b"a" * size, then=ZeroDivisionError()))
    assert await content(storage, key) is None
    assert files(tmp_path) == []


async def test_what_cannot_be_written_or_read_is_one_error_that_names_no_path_of_ours(tmp_path: Path) -> None:
    storage = Storage.in_folder(tmp_path / "files")
    (tmp_path / "files").rmdir()
    (tmp_path / "files").write_text("no folder")
    with pytest.raises(StorageUnavailable):
        await storage.write(kept_at(TENANT, UPLOAD), chunks(b"a"))
    with pytest.raises(StorageUnavailable):
        await storage.read(kept_at(TENANT, UPLOAD))
    with pytest.raises(StorageUnavailable):
        await storage.remove([kept_at(TENANT, UPLOAD)])
    with pytest.raises(StorageUnavailable):
        Storage.in_folder(tmp_path / "files")


async def test_a_deadline_while_writing_is_nobodys_error_but_its_own(storage: Storage) -> None:
    with pytest.raises(TimeoutError):
        await storage.write(kept_at(TENANT, UPLOAD), chunks(b"a", then=TimeoutError()))


async def test_a_bucket_signs_from_the_settings_without_being_asked() -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        storage_bucket="kontor-files",
        storage_region="eu-central-1",
        storage_access_key_id="AKIAEXAMPLE",
        storage_secret_access_key=SecretStr("secret-of-the-bucket"),
    )
    url = urlsplit(await open_storage(settings).sign(sent_to(TENANT, UPLOAD), 599))
    assert (url.scheme, url.netloc) == ("https", "s3.eu-central-1.amazonaws.com")
    assert url.path == f"/kontor-files/{sent_to(TENANT, UPLOAD)}"
    told = parse_qs(url.query)
    assert told["X-Amz-Expires"] == ["599"]
    assert told["X-Amz-Credential"][0].startswith("AKIAEXAMPLE/")
    assert "secret-of-the-bucket" not in url.query
    assert "secret-of-the-bucket" not in repr(settings)


async def test_another_store_than_amazons_has_its_own_address() -> None:
    bucket = Bucket("files", "us-east-1", "http://127.0.0.1:9", "key", "secret")
    storage = Storage.in_bucket(bucket)
    assert (await storage.sign("a/b", 60)).startswith(
        "http://127.0.0.1:9/files/a/b?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    )


def test_without_a_bucket_it_is_a_folder_at_home(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)  # type: ignore[call-arg]
    assert open_storage(settings).signer is None
    assert (tmp_path / "files").is_dir()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"storage_bucket": "Not A Bucket"}, "a bucket's name"),
        ({"storage_bucket": "../etc"}, "a bucket's name"),
        ({"storage_bucket": "files", "storage_access_key_id": "key"}, "go together"),
        ({"storage_bucket": "files", "storage_secret_access_key": "secret"}, "go together"),
        ({"storage_endpoint": "https://minio.example"}, "KONTOR_STORAGE_BUCKET is missing"),
        (
            {"storage_access_key_id": "key", "storage_secret_access_key": "secret"},
            "KONTOR_STORAGE_BUCKET is missing",
        ),
        ({"storage_bucket": "files", "storage_endpoint": "ftp://minio.example"}, "begins with https"),
        ({"storage_bucket": "files", "storage_endpoint": "http://minio.example"}, "begins with https"),
    ],
)
def test_production_does_not_start_with_half_a_bucket(given: dict[str, Any], problem: str) -> None:
    production: dict[str, Any] = {
        "_env_file": None,
        "environment": "production",
        "secret_key": "known-to-nobody-but-this-one-test",
        "DATABASE_URL": "postgresql+asyncpg://a@b/c",
    }
    Settings(**production)
    with pytest.raises(ValueError, match=problem):
        Settings(**production, **given)
