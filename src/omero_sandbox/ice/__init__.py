# SPDX-License-Identifier: AGPL-3.0-or-later
"""The wire: an Ice server that stands where Glacier2 and OMERO.blitz stand, and the one gate every call goes through."""
