# SPDX-License-Identifier: AGPL-3.0-or-later
"""One user's data, the target of the attack tests: one of everything, in one group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import omero.grid
import omero.model
from omero.gateway import BlitzGateway, MapAnnotationWrapper, TagAnnotationWrapper
from omero.rtypes import rdouble, rint, rstring

SECRET = "hidden-in-plain-sight"


@dataclass(frozen=True)
class Victim:
    """Ids of the victim's objects; every name and text contains SECRET."""

    owner: int
    group: int
    project: int
    dataset: int
    image: int
    pixels: int
    plate: int
    well: int
    tag: int
    map_annotation: int
    file: int
    file_annotation: int
    roi: int
    dataset_link: int
    tag_link: int


def make_victim(conn: BlitzGateway) -> Victim:
    """Make one of everything with the victim's own connection, in the group it works in."""
    update = conn.getUpdateService()
    options = conn.SERVICE_OPTS
    text = rstring(SECRET)

    def save(obj: omero.model.IObject) -> omero.model.IObject:
        return update.saveAndReturnObject(obj, options)

    project, dataset = omero.model.ProjectI(), omero.model.DatasetI()
    project.name = dataset.name = text
    project, dataset = save(project), save(dataset)
    plane = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64)
    image = conn.createImageFromNumpySeq(iter([plane]), SECRET, dataset=conn.getObject("Dataset", dataset.id.val))
    conn.getRenderingSettingsService().resetDefaultsInImage(image.getId(), options)
    link = omero.model.ProjectDatasetLinkI()
    link.parent, link.child = project.proxy(), dataset.proxy()
    save(link)
    plate, well, sample = omero.model.PlateI(), omero.model.WellI(), omero.model.WellSampleI()
    plate.name, plate.rows, plate.columns = text, rint(1), rint(1)
    well.row, well.column = rint(0), rint(0)
    field = conn.createImageFromNumpySeq(iter([plane]), SECRET)  # of its own: an image in a plate goes with the plate only
    sample.image = omero.model.ImageI(field.getId(), False)
    well.addWellSample(sample)
    plate.addWell(well)
    plate = save(plate)
    roi, shape = omero.model.RoiI(), omero.model.RectangleI()
    shape.x, shape.y, shape.width, shape.height = rdouble(1), rdouble(2), rdouble(3), rdouble(4)
    shape.textValue = text
    roi.addShape(shape)
    roi.image = omero.model.ImageI(image.getId(), False)
    roi = save(roi)
    tag = TagAnnotationWrapper(conn)
    tag.setValue(SECRET)
    tag.save()
    facts = MapAnnotationWrapper(conn)
    facts.setNs("openhcs.test")
    facts.setValue([["key", SECRET]])
    facts.save()
    image.linkAnnotation(tag)
    image.linkAnnotation(facts)
    attached = _file_annotation(conn)
    image.linkAnnotation(attached)
    query = conn.getQueryService()
    dataset_link = query.projection(f"select l.id from DatasetImageLink l where l.child.id = {image.getId()}", None, options)
    tag_link = query.projection(f"select l.id from ImageAnnotationLink l where l.child.id = {tag.getId()}", None, options)
    return Victim(
        owner=conn.getUserId(),
        group=int(options.getOmeroGroup()),
        project=project.id.val,
        dataset=dataset.id.val,
        image=image.getId(),
        pixels=image.getPrimaryPixels().getId(),
        plate=plate.id.val,
        well=plate.copyWells()[0].id.val,
        tag=tag.getId(),
        map_annotation=facts.getId(),
        file=attached.getFile().getId(),
        file_annotation=attached.getId(),
        roi=roi.id.val,
        dataset_link=dataset_link[0][0].val,
        tag_link=tag_link[0][0].val,
    )


def _file_annotation(conn: BlitzGateway):
    import io

    content = io.BytesIO(SECRET.encode())
    file = conn.createOriginalFileFromFileObj(content, "/", SECRET, len(SECRET), mimetype="text/plain")
    annotation = omero.model.FileAnnotationI()
    annotation.file = omero.model.OriginalFileI(file.getId(), False)
    saved = conn.getUpdateService().saveAndReturnObject(annotation, conn.SERVICE_OPTS)
    return conn.getObject("FileAnnotation", saved.id.val)
