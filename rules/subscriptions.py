"""Subscriptions: how many one session may have, and what ends one that does not keep up."""

from dataclasses import dataclass

from rules.broken import BrokenRule


@dataclass(eq=False, kw_only=True)
class TooManySubscriptions(BrokenRule):
    """A session, a connection or a portal has as many subscriptions as it may have."""

    english = "There are {most} subscriptions already; end one first."
    german = "Es gibt schon {most} Abonnements; beenden Sie zuerst eines."

    most: int


@dataclass(eq=False, kw_only=True)
class SubscriptionTooSlow(BrokenRule):
    """More has changed than the subscriber has read."""

    english = "More has changed than was read here. Read anew what you show, and subscribe again."
    german = "Es hat sich mehr geändert, als hier gelesen wurde. Laden Sie neu, was Sie zeigen, und abonnieren Sie noch einmal."
