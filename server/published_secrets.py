"""Published secrets: what everybody knows, or can guess, keeps nobody out."""

from urllib.parse import unquote, urlsplit

# What stands in our own examples and tests, and what is tried first.
_PUBLISHED = frozenset(
    {
        "admin",
        "app_migrate",
        "app_rw",
        "changeme",
        "kontor",
        "kontor-demo",
        "kontor-test",
        "minioadmin",
        "password",
        "postgres",
        "secret",
    }
)
_FEWEST_CHARACTERS = 6  # different ones: a line of one letter is no secret, nor are three letters


def is_no_secret(secret: str) -> bool:
    """Whether everybody knows a secret, or can guess it; an empty one is not set, which is another matter."""
    return secret.lower() in _PUBLISHED or 0 < len(set(secret)) < _FEWEST_CHARACTERS


def password_in(url: str | None) -> str:
    """The password in a database's URL, as it is meant; empty where it has none."""
    return unquote(urlsplit(url or "").password or "")
