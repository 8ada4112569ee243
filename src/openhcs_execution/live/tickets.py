# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tickets for the live connection: a browser shows one where it cannot send a service token.

A ticket names one user and one execution, opens one connection, and is worth nothing after a minute. It is signed with the
shared secret for a purpose of its own (the audience), so it is no service token and a service token is no ticket. Which
tickets were used is kept in memory; each start of the service signs under a new name, so a restart forgets no used ticket.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

import jwt

from openhcs_client import OpenHCSError

__all__ = ["LIFETIME", "Ticket", "TicketOffice"]

ALGORITHM = "HS256"
AUDIENCE = "openhcs-live"
LIFETIME = 60
"""Seconds within which a ticket must be used."""


@dataclass(frozen=True)
class Ticket:
    """A ticket that was shown and is good."""

    user_id: int
    execution_id: str
    number: str
    """Unique; a ticket is used once."""
    ends: float
    """Seconds since the epoch."""


class TicketOffice:
    """Makes tickets, in any thread, and takes them back, in the event loop."""

    def __init__(self, secret: str, lifetime: float = LIFETIME) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._name = uuid.uuid4().hex
        self._used: dict[str, float] = {}

    def issue(self, user_id: int, execution_id: str) -> str:
        """A new ticket for somebody who may see the execution; the caller has looked."""
        now = time.time()
        claims = {
            "sub": str(user_id),
            "execution": execution_id,
            "aud": AUDIENCE,
            "iss": self._name,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def check(self, text: str, execution_id: str) -> Ticket:
        """Read a ticket for this execution, without using it up.

        Raises:
            OpenHCSError: ``ticket_expired`` or ``ticket_invalid``, status 401; ``ticket_of_another_execution`` or
                ``ticket_used``, status 403.
        """
        try:
            claims = jwt.decode(
                text,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._name,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "jti", "execution"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise OpenHCSError("ticket_expired", "The ticket has expired. Ask for a new one.", status=401) from error
        except jwt.InvalidTokenError as error:
            raise OpenHCSError("ticket_invalid", "The ticket is not valid. Ask for a new one.", status=401) from error
        if claims["execution"] != execution_id:
            raise OpenHCSError("ticket_of_another_execution", "The ticket is for another execution.", status=403)
        if claims["jti"] in self._used:
            raise OpenHCSError("ticket_used", "The ticket was used already. Ask for a new one.", status=403)
        return Ticket(int(claims["sub"]), claims["execution"], claims["jti"], claims["exp"])

    def use(self, ticket: Ticket) -> None:
        """Nobody can use this ticket again."""
        now = time.time()
        self._used = {number: ends for number, ends in self._used.items() if ends > now}
        self._used[ticket.number] = ticket.ends
