# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO: the only folder of the service that talks to it. Plates and planes come in, labels, tables and provenance go out.

Every call names the group it works in, every write is safe to repeat, and everything written is marked with its execution.
"""

from .connect import OmeroServer, join_session
from .deleting import FoundObject, FoundResults, delete_found, delete_results, find_results
from .planes import Plane, ReadTally, read_planes
from .plates import read_layout
from .provenance import save_provenance
from .repository import Repository, Unreadable
from .result_dataset import check_dataset, ensure_result
from .result_plate import ensure_result_plate
from .rois import ObjectsOnImage, may_draw_on, save_rois
from .saving import save_labels, save_labels_in_dataset
from .sessions import SessionUser, close_job_session, keep_alive, open_job_session, session_user
from .tables import save_table
from .tagging import save_tags
from .target import EXECUTION_NS, LABEL_NS, PIPELINE_NS, Container, ResultTarget

__all__ = [
    "EXECUTION_NS",
    "LABEL_NS",
    "PIPELINE_NS",
    "Container",
    "ObjectsOnImage",
    "check_dataset",
    "ensure_result",
    "may_draw_on",
    "save_labels_in_dataset",
    "save_rois",
    "save_tags",
    "FoundObject",
    "FoundResults",
    "delete_found",
    "find_results",
    "OmeroServer",
    "Plane",
    "ReadTally",
    "Repository",
    "ResultTarget",
    "SessionUser",
    "Unreadable",
    "close_job_session",
    "delete_results",
    "ensure_result_plate",
    "join_session",
    "keep_alive",
    "open_job_session",
    "read_layout",
    "read_planes",
    "save_labels",
    "save_provenance",
    "save_table",
    "session_user",
]
