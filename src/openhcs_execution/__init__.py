# SPDX-License-Identifier: AGPL-3.0-or-later
"""The execution service: catalogue, queue, dispatch, engine adapter and save-back."""
