# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading pixels from the files of OMERO's binary repository, where a worker can see it.

A file is a shortcut, OMERO's API is the authority. An image is read from its file only when OMERO let the user read the
image, the file lies where OMERO would look for it, and it passes a check: OMERO's own checksum of the pixels, or, where there
is none, parts of the image that are compared with what the API returns. Everything else is :class:`Unreadable`, and the
caller asks the API.
"""

from .opening import Repository
from .paths import Unreadable
from .planes import PlaneSource
from .stored import StoredFile, StoredImage, stored_images

__all__ = ["PlaneSource", "Repository", "StoredFile", "StoredImage", "Unreadable", "stored_images"]
