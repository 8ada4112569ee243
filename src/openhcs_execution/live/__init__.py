# SPDX-License-Identifier: AGPL-3.0-or-later
"""Events as they are committed, for whoever holds a ticket: tickets, the room for connections, and the feeds of news."""
