# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a folder of TIFF files to a plate, over the calls of any client: works with the sandbox and with a real OMERO."""
