"""Balances: the kinds of movements that make up what a customer owes."""

from enum import StrEnum


class MovementKind(StrEnum):
    """Why a balance moved: an invoice and a refund raise what is owed, a credit note and a payment lower it."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
