"""Storing: the storage that the settings name."""

from pathlib import Path

from server.settings import Settings
from tenants.storage import Bucket, Storage


def files_folder(settings: Settings) -> Path:
    """The folder in which files are kept where no bucket is named."""
    return settings.home / "files"


def open_storage(settings: Settings) -> Storage:
    """A bucket where one is named, or else a folder at home. Raises StorageUnavailable when that cannot be made."""
    if not settings.storage_bucket:
        return Storage.in_folder(files_folder(settings))
    secret = settings.storage_secret_access_key
    return Storage.in_bucket(
        Bucket(
            settings.storage_bucket,
            settings.storage_region,
            endpoint=settings.storage_endpoint or None,
            access_key_id=settings.storage_access_key_id or None,
            secret_access_key=secret.get_secret_value() if secret else None,
        )
    )
