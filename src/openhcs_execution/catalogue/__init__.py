# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be run: the pipelines that ship with the service, the functions that a step may name, and the user's parameters."""

from .functions import FunctionCatalogue
from .parameters import apply_parameters
from .pipelines import PipelineCatalogue

__all__ = ["FunctionCatalogue", "PipelineCatalogue", "apply_parameters"]
