# SPDX-License-Identifier: AGPL-3.0-or-later
"""Queries that look at other people's data in every way HQL has."""

from __future__ import annotations

__all__ = ["TEMPLATES"]

TEMPLATES = (
    # plain
    "select i.id from Image i order by i.id",
    "select i from Image i order by i.id",
    "from Image",
    "select a.id, a.class, type(a) from Annotation a order by a.id",
    "select i.name from Image i where i.name like '%1%' order by i.name desc",
    # aggregates
    "select count(*) from Image i",
    "select count(i), min(i.id), max(i.id), sum(i.id), avg(i.id), min(i.name) from Image i",
    "select count(distinct l.child.id), max(l.child.name) from DatasetImageLink l",
    "select d.id, count(l.child.id) from Dataset d left outer join d.imageLinks l group by d.id order by d.id",
    "select d.id from Dataset d left join d.imageLinks l left join l.child i group by d.id having count(i) > 0 order by d.id",
    # explicit joins
    "select d.id, i.id from Dataset d join d.imageLinks l join l.child i order by d.id, i.id",
    "select d.id, i.id from Dataset d left outer join d.imageLinks l left outer join l.child i order by d.id, l.id, i.id",
    "select i.id, s.id from Image i join i.rois r join r.shapes s order by i.id, s.id",
    "select i.id from Image i left join i.rois r with r.name like '%1%' where r.id is null order by i.id",
    # implicit paths
    "select l.id, l.child.id, l.parent.id from DatasetImageLink l order by l.id",
    "select l.id, l.child.name, l.parent.name from DatasetImageLink l order by l.child.name, l.parent.name, l.id",
    "select l.child from DatasetImageLink l order by l.id",
    "select s.id, s.roi.image.name from Shape s order by s.roi.image.name, s.id",
    "select s.id from Shape s where s.roi.image.name like '%1%' order by s.id",
    "select l.id from DatasetImageLink l where l.child is null order by l.id",
    "select l.id from DatasetImageLink l where not (l.child.name = 'x') order by l.id",
    "select ws.id, ws.well.plate.name, ws.image.name from WellSample ws order by ws.well.plate.name, ws.id",
    "select case when l.child.name is null then 'none' else l.child.name end from DatasetImageLink l order by l.id",
    "select coalesce(l.child.name, 'none'), l.child.name || '!' from DatasetImageLink l order by l.id",
    # fetch joins
    "select distinct d from Dataset d left outer join fetch d.imageLinks l left outer join fetch l.child order by d.id",
    "select d from Dataset d join fetch d.imageLinks l join fetch l.child order by d.id",
    "select r from Roi r left outer join fetch r.image i left outer join fetch i.pixels left join fetch r.shapes order by r.id",
    "select l from ImageAnnotationLink l join fetch l.child a left outer join fetch a.file order by l.id",
    # subqueries
    "select i.id from Image i where exists (select 1 from DatasetImageLink l where l.child = i) order by i.id",
    "select i.id from Image i where not exists (select l.id from DatasetImageLink l where l.child.id = i.id) order by i.id",
    "select i.id from Image i where i.id in (select l.child.id from DatasetImageLink l) order by i.id",
    "select i.id from Image i where i not in (select l.child from DatasetImageLink l where l.child is not null) order by i.id",
    "select d.id, (select count(l.id) from DatasetImageLink l where l.parent.id = d.id) from Dataset d order by d.id",
    "select d.id, (select max(l.child.id) from DatasetImageLink l where l.parent = d) from Dataset d order by d.id",
    "select d.id from Dataset d where exists (select i.id from d.imageLinks l join l.child i) order by d.id",
    # collections
    "select d.id, size(d.imageLinks) from Dataset d order by d.id",
    "select d.id from Dataset d where size(d.imageLinks) > 1 order by d.id",
    "select d.id from Dataset d where d.imageLinks is empty order by d.id",
    "select d.id from Dataset d where d.imageLinks is not empty order by d.id",
    "select i.id from Image i where exists elements(i.rois) order by i.id",
    "select i.id from Image i where 3 in elements(i.rois) order by i.id",
    "select i.id, maxelement(i.rois), minelement(i.rois) from Image i order by i.id",
    "select w.id, maxindex(w.wellSamples) from Well w order by w.id",
    "select i.rois from Image i order by i.id",
    # theta joins
    "select i.id, r.id from Image i, Roi r where r.image = i order by i.id, r.id",
    "select i.id, j.id from Image i, DatasetImageLink l, Image j where l.child = i and j.id < i.id order by i.id, l.id, j.id",
    # name/value lists, files
    "select a.id, mv.name, mv.value from MapAnnotation a join a.mapValue mv order by a.id, mv.name",
    "select l.id, mv.value from ImageAnnotationLink l join l.child a join a.mapValue mv order by l.id, mv.name",
    "select a.id, a.file.name from FileAnnotation a order by a.file.name, a.id",
    # maps and permissions
    "select new map(i.id as id, i as image_details_permissions, i.details.owner.id as o) from Image i order by i.id",
    "select i.id, i.details.permissions from Image i order by i.id",
    "select new map(l.child.id as child, new map(l.parent.name as name) as parent) from DatasetImageLink l order by l.id",
    # sessions
    "select s.id, s.uuid from Session s order by s.id",
    "select e.id, e.session.uuid from Event e order by e.id",
    "select count(s.id), max(s.uuid) from Session s",
    "select s from Session s order by s.id",
)
