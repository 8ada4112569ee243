# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO: the only folder of the service that talks to it. Plates and planes come in, labels, tables and provenance go out.

Every call names the group it works in, every write is safe to repeat, and everything written is marked with its execution.
"""

from .attaching import attach_file
from .connect import OmeroServer, join_session
from .deleting import FoundObject, FoundResults, delete_found, delete_results, find_results
from .planes import Plane, ReadTally, read_planes
from .plates import read_layout
from .provenance import save_provenance
from .repository import Repository, Unreadable
from .result_dataset import annotated_containers, check_dataset, ensure_result
from .result_plate import ensure_result_plate
from .rois import ObjectsOnImage, may_draw_on, present_images, save_rois
from .saving import save_images, save_images_in_dataset
from .sessions import SessionUser, close_job_session, keep_alive, open_job_session, session_user
from .tables import save_table
from .tagging import save_tags
from .target import EXECUTION_NS, FIGURE_NS, LABEL_NS, PIPELINE_NS, PROCESSED_NS, Container, Mark, ResultTarget

__all__ = [
    "EXECUTION_NS",
    "FIGURE_NS",
    "LABEL_NS",
    "PIPELINE_NS",
    "PROCESSED_NS",
    "Container",
    "FoundObject",
    "FoundResults",
    "Mark",
    "ObjectsOnImage",
    "OmeroServer",
    "Plane",
    "ReadTally",
    "Repository",
    "ResultTarget",
    "SessionUser",
    "Unreadable",
    "annotated_containers",
    "attach_file",
    "check_dataset",
    "close_job_session",
    "delete_found",
    "delete_results",
    "ensure_result",
    "ensure_result_plate",
    "find_results",
    "join_session",
    "keep_alive",
    "may_draw_on",
    "open_job_session",
    "present_images",
    "read_layout",
    "read_planes",
    "save_images",
    "save_images_in_dataset",
    "save_provenance",
    "save_rois",
    "save_table",
    "save_tags",
    "session_user",
]
