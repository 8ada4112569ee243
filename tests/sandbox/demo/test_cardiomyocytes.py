# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plate made of the real cardiomyocyte image."""

from __future__ import annotations

import numpy as np
import pytest

from omero_sandbox.demo.cardiomyocytes import FIELDS, make_field, whole_image


def test_the_quarters_are_the_image() -> None:
    whole = whole_image()
    assert whole.shape == (2, 512, 512)
    assert whole.dtype == np.uint8
    quarters = [make_field(field) for field in range(1, FIELDS + 1)]
    again = np.concatenate([np.concatenate(quarters[:2], axis=2), np.concatenate(quarters[2:], axis=2)], axis=1)
    np.testing.assert_array_equal(again, whole)
    for field in (0, 5):
        with pytest.raises(ValueError, match="fields 1 to 4"):
            make_field(field)


def test_the_labels_are_nuclei() -> None:
    image, labels = whole_image()
    assert len(np.unique(labels)) - 1 > 100
    assert image[labels > 0].mean() > 1.5 * image[labels == 0].mean()
