# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that shows an image beside its segmentation; the viewer itself is TypeScript in ``frontend/src/viewer``."""
