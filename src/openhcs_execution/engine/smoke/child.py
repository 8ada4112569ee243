# SPDX-License-Identifier: AGPL-3.0-or-later
"""The smoke test's child process: tries one function after the other. It can be killed when a function does not come back."""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Answer requests, one JSON line each: ``{"entries": […]}`` says what there is, ``{"try": id}`` tries one."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def send(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    from ..catalogue import CatalogueEntry, catalogue_entry, use_entries

    for line in sys.stdin:
        request = json.loads(line)
        if "entries" in request:
            use_entries(CatalogueEntry.from_json(entry) for entry in request["entries"])
            send({"ready": True})
            continue
        from .checks import Failed, check

        try:
            found = check(catalogue_entry(request["try"]), lambda what: send({"doing": what}))
            send({"passed": found})
        except Failed as failed:
            send({"failed": str(failed)})
        except Exception as error:
            # Anything else is a fault of the test or of the function; either way it cannot be offered.
            send({"failed": f"Its test could not be finished: {type(error).__name__}: {str(error)[:200]}"})


if __name__ == "__main__":
    main()
