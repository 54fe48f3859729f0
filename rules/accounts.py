"""Accounts: user names, passwords, and why a sign-in is refused."""

import unicodedata
from dataclasses import dataclass

from rules.broken import BrokenRule

PASSWORD_LENGTH = range(8, 1_001)
USER_NAME_LENGTH = range(1, 201)


class SignInRefused(BrokenRule):
    """User name or password are wrong, or the account is not active: which of them is not told."""

    english = "The user name or the password is wrong."
    german = "Benutzername oder Passwort ist falsch."


class PortalClosed(BrokenRule):
    """The company has switched its portal off for customers."""

    english = "This portal is closed at the moment."
    german = "Dieses Portal ist derzeit geschlossen."


@dataclass(eq=False, kw_only=True)
class SignInBusy(BrokenRule):
    """More people sign in at this moment than the server checks at once."""

    english = "Too many people are signing in at this moment. Try again in a moment."
    german = "Gerade melden sich zu viele Personen an. Versuchen Sie es gleich noch einmal."


class CookieRefused(BrokenRule):
    """A session by cookie was asked for by a request that a browser could have been tricked into."""

    english = "A session by cookie needs the header X-Kontor-Csrf and, in a browser, this portal's origin."
    german = (
        "Eine Sitzung per Cookie braucht den Header X-Kontor-Csrf und im Browser die Herkunft dieses Portals."
    )


def folded(user_name: str) -> str:
    """A user name as it is compared and kept: without outer space, in one case and Unicode form."""
    one_case = unicodedata.normalize("NFKC", user_name).casefold()
    return unicodedata.normalize("NFKC", one_case).strip()


def normalized(password: str) -> str:
    """A password as it is hashed: in one Unicode form, otherwise untouched (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def can_be_password(password: str) -> bool:
    """Whether a text is long enough and not too long to be anybody's password."""
    return len(password) in PASSWORD_LENGTH


def can_be_user_name(user_name: str) -> bool:
    """Whether a text can be anybody's user name."""
    return len(user_name) in USER_NAME_LENGTH
