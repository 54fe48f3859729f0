"""Accounts: user names, passwords, activation codes, and why a sign-in is refused."""

import unicodedata
from dataclasses import dataclass

from rules.broken import BrokenRule

PASSWORD_LENGTH = range(8, 1_001)
USER_NAME_LENGTH = range(1, 201)
_UNWRITABLE = ("Cc", "Zl", "Zp")  # Unicode's control characters, and what separates lines and paragraphs

# A new account's code opens the door once, within this time.
ACTIVATION_DAYS = 14
# Whoever looks at the portal as a customer's account is shown out after this time.
VIEW_AS_MINUTES = 30

# Crockford's Base32: no letter looks like a digit, and what looks alike is read as one of them.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")


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


@dataclass(eq=False, kw_only=True)
class SignInThrottled(BrokenRule):
    """Too many wrong passwords or codes came from this address or for this user name; whose, is not told."""

    english = "Too many tries. Try again in {retry_after} seconds."
    german = "Zu viele Versuche. Versuchen Sie es in {retry_after} Sekunden noch einmal."

    retry_after: int


class ActivationRefused(BrokenRule):
    """User name and activation code do not belong together, or nobody may come in: which, is not told."""

    english = "The user name or the activation code is wrong."
    german = "Benutzername oder Aktivierungscode ist falsch."


class ActivationCodeUsed(BrokenRule):
    """The activation code was right, and has done its work already."""

    english = "This activation code was used already. Sign in with your password, or ask for a new code."
    german = (
        "Dieser Aktivierungscode wurde bereits verwendet. Melden Sie sich mit Ihrem Passwort an, oder "
        "bitten Sie um einen neuen Code."
    )


class ActivationCodeExpired(BrokenRule):
    """The activation code was right, and came too late."""

    english = "This activation code has expired. Ask for a new one."
    german = "Dieser Aktivierungscode ist abgelaufen. Bitten Sie um einen neuen."


class UserNameInvalid(BrokenRule):
    """A user name is empty, longer than 200 characters, or has control characters."""

    english = "A user name has 1 to 200 characters, in one line."
    german = "Ein Benutzername hat 1 bis 200 Zeichen, in einer Zeile."


@dataclass(eq=False, kw_only=True)
class UserNameTaken(BrokenRule):
    """Somebody else signs in at this portal with this name."""

    english = "The user name {user_name} is taken."
    german = "Der Benutzername {user_name} ist vergeben."

    user_name: str


class PasswordLengthInvalid(BrokenRule):
    """A password is shorter than 8 or longer than 1,000 characters."""

    english = "A password has 8 to 1,000 characters."
    german = "Ein Passwort hat 8 bis 1.000 Zeichen."


class PasswordTooCommon(BrokenRule):
    """A password is among those that are tried first, or is the user name."""

    english = "This password is among the first that anybody would guess."
    german = "Dieses Passwort gehört zu denen, die man zuerst errät."


class PasswordWrong(BrokenRule):
    """The password that is to be changed is another one."""

    english = "This is not your present password."
    german = "Das ist nicht Ihr jetziges Passwort."


class AccountBound(BrokenRule):
    """An account was to go to another customer."""

    english = "An account belongs to its customer for ever. Provision another one."
    german = "Ein Kundenkonto gehört für immer zu seinem Kunden. Legen Sie ein weiteres an."


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


def code_normalized(code: str) -> str:
    """An activation code as it is hashed: read aloud and typed again, case and hyphens get lost."""
    letters = unicodedata.normalize("NFKC", code).upper().translate(_ALIKE)
    return "".join(each for each in letters if each in CODE_ALPHABET)


def can_be_user_name(user_name: str) -> bool:
    """Whether a text can be anybody's user name."""
    return len(user_name) in USER_NAME_LENGTH and not any(
        unicodedata.category(each) in _UNWRITABLE for each in user_name
    )
