# SPDX-License-Identifier: AGPL-3.0-or-later
"""Step functions of our own, decorated as OpenHCS wants them, for what OpenHCS has no adequate function for.

Each gets the planes of **one field** as an array (channel, y, x), so nothing can leak between fields, and returns the image
for the next step followed by its artifacts. They say what they take and give with OpenHCS's own decorators; the work is
done in :mod:`openhcs_execution.engine.imaging`, which knows nothing of OpenHCS.

These modules do not postpone annotations: OpenHCS reads them as objects.
"""
