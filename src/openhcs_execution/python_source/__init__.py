# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pipeline documents as OpenHCS Python source, and back. Pure Python: neither OpenHCS nor NumPy is needed, and nothing is run.

A document is *written* as a script that OpenHCS on a desktop executes. A script is *read* from its syntax tree alone; what it
would compute when it runs is not known and is named line by line instead.
"""

from .functions import FunctionTable, KnownFunction
from .reading import import_python
from .writing import render_python

__all__ = ["FunctionTable", "KnownFunction", "import_python", "render_python"]
