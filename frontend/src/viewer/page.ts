// SPDX-License-Identifier: AGPL-3.0-or-later
/** The script of the viewer page: reads what the template wrote and mounts the viewer. */

import { createApi } from '../shared/api';
import { readPageData } from '../shared/page-data';
import { mountViewer, type Neighbours } from './mount';

interface Step {
  title: string;
  image_id: number;
}

interface ViewerPageData {
  image: { id: number; name: string; zarr: string };
  place: {
    plate_id: number;
    plate_name: string;
    well: string;
    field: number;
    fields: Step[];
    previous_well: Step | null;
    next_well: Step | null;
  } | null;
  execution: string;
  /** Empty where it is not installed. */
  iviewer: string;
  /** Empty where none is configured. */
  vizarr: string;
  /** Addresses of the viewer by image id. */
  viewer: Record<string, string>;
}

function neighboursOf({ place, viewer }: ViewerPageData): Neighbours | null {
  if (!place) return null;
  const step = ({ title, image_id }: Step) => ({ title, url: viewer[image_id] ?? '' });
  return {
    fields: place.fields.map((field, index) => ({ ...step(field), current: index + 1 === place.field })),
    previousWell: place.previous_well && step(place.previous_well),
    nextWell: place.next_well && step(place.next_well),
  };
}

const data = readPageData<ViewerPageData>();
const host = document.getElementById('openhcs-viewer');
const base = document.querySelector<HTMLElement>('[data-oh-api]')?.dataset.ohApi;
if (host && base) {
  void mountViewer(host, {
    zarr: data.image.zarr,
    api: createApi(base),
    ...(data.execution ? { execution: data.execution } : {}),
    ...(data.place ? { well: data.place.well, field: data.place.field } : {}),
    neighbours: neighboursOf(data),
    imageId: data.image.id,
    title: data.place ? `${data.place.plate_name} ${data.place.well} field ${data.place.field}` : data.image.name,
    elsewhere: { iviewer: data.iviewer, vizarr: data.vizarr },
    keepsAddress: true,
  });
}
