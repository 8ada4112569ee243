# SPDX-License-Identifier: AGPL-3.0-or-later
"""Serves OMERO images and plates as OME-Zarr (NGFF) 0.4 and 0.5, made on the fly and never stored.

Addresses, below ``/openhcs/zarr/<version>/``::

    image/<id>.zarr/                       a multiscale image, with labels/ when executions saved label images for it
    plate/<id>.zarr/<row>/<column>/<field> the same images by their place on a plate

Below ``/openhcs/zarr/token/<token>/<version>/`` are the same, for software without a cookie.

The modules, from the outside in: :mod:`views` (HTTP, permission), :mod:`tokens` (addresses for software without a cookie),
:mod:`access` (what a session may read, remembered for some seconds), :mod:`hierarchy` (which node an address names),
:mod:`ngff` (the metadata of images and plates), :mod:`formats` (how the two Zarr versions write it down), :mod:`chunks` and
:mod:`pyramid` (pixels), :mod:`cache`.
"""
