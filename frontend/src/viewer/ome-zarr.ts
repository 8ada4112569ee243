// SPDX-License-Identifier: AGPL-3.0-or-later
/** Opens an image of the plugin's OME-Zarr 0.4 endpoint: its levels, channels, pixel size and saved label images. */

import * as zarr from 'zarrita';
import { ApiError, errorOf } from '../shared/api';
import { PixelLevel, type ZarrArray } from './pixels';

export interface Channel {
  label: string;
  /** `#rrggbb` */
  colour: string;
  active: boolean;
  window: { start: number; end: number; min: number; max: number };
}

export interface ImageModel {
  name: string;
  levels: PixelLevel[];
  channels: Channel[];
  width: number;
  height: number;
  sizeZ: number;
  sizeT: number;
  defaultZ: number;
  defaultT: number;
  /** Micrometres per pixel along x, or null when OMERO does not know. */
  pixelSize: number | null;
  /** What executions saved of this image as their last step left it, the newest first. */
  processed: ProcessedImage[];
}

export interface ProcessedImage {
  /** Address of its OME-Zarr. */
  zarr: string;
  execution: string;
}

/** A label image saved in OMERO: its path below the image, and the execution that made it. */
export interface SavedLabel {
  path: string;
  name: string;
  execution: string;
}

interface Multiscale {
  axes: { name: string; unit?: string }[];
  datasets: { path: string; coordinateTransformations: { type: string; scale?: number[] }[] }[];
  name?: string;
}

interface ImageAttributes {
  multiscales: Multiscale[];
  openhcs?: { processed?: { execution_id: string; image_id: number }[] };
  omero: {
    name: string;
    channels: { label: string; color: string; active: boolean; window: Channel['window'] }[];
    rdefs: { defaultZ: number; defaultT: number };
  };
}

interface LabelsAttributes {
  labels: string[];
  openhcs?: { labels?: Record<string, { execution_id: string; name: string }> };
}

// OMERO.web answers 403 to this header when the session has ended, and otherwise would send its login page.
const HEADERS = { 'X-Requested-With': 'XMLHttpRequest' };

/** Fetch for Zarr: 404 is passed on as an absent key, any other failure becomes an error with words. */
async function fetchOrExplain(request: Request): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(request);
  } catch {
    throw new ApiError('unreachable', 'OMERO.web does not answer. Check the network, then try again.', 0);
  }
  if (response.ok || response.status === 404) return response;
  throw errorOf(response, await response.text());
}

async function readJson<T>(url: string): Promise<T | undefined> {
  const response = await fetchOrExplain(new Request(url, { headers: HEADERS, credentials: 'same-origin' }));
  return response.status === 404 ? undefined : ((await response.json()) as T);
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

async function openLevels(url: string, multiscale: Multiscale): Promise<PixelLevel[]> {
  const store = new zarr.FetchStore(new URL(url, document.baseURI), {
    fetch: (request) => fetchOrExplain(new Request(request, { headers: HEADERS, credentials: 'same-origin' })),
  });
  const root = zarr.root(store);
  // `open.v2` and not `open`, which would probe for Zarr version 3 first.
  const arrays = await Promise.all(
    multiscale.datasets.map(({ path }) => zarr.open.v2(root.resolve(path), { kind: 'array', attrs: false })),
  );
  return PixelLevel.pyramid(arrays as ZarrArray[]);
}

/** Open the image whose `.zarr/` address is `url`. */
export async function openImage(url: string): Promise<ImageModel> {
  const base = withSlash(url);
  const attributes = await readJson<ImageAttributes>(`${base}.zattrs`);
  const multiscale = attributes?.multiscales[0];
  if (!attributes || !multiscale) {
    throw new ApiError('image_not_found', 'This image does not exist, or you may not read it.', 404);
  }
  const levels = await openLevels(base, multiscale);
  const [sizeT = 1, , sizeZ = 1, height = 1, width = 1] = levels[0]?.shape ?? [];
  return {
    name: attributes.omero.name,
    levels,
    channels: attributes.omero.channels.map((channel) => ({ ...channel, colour: `#${channel.color}` })),
    width,
    height,
    sizeZ,
    sizeT,
    defaultZ: Math.min(attributes.omero.rdefs.defaultZ, sizeZ - 1),
    defaultT: Math.min(attributes.omero.rdefs.defaultT, sizeT - 1),
    pixelSize: pixelSizeOf(multiscale),
    processed: (attributes.openhcs?.processed ?? []).map((made) => ({
      zarr: new URL(`../${made.image_id}.zarr/`, new URL(base, document.baseURI)).href,
      execution: made.execution_id,
    })),
  };
}

function pixelSizeOf(multiscale: Multiscale): number | null {
  const x = multiscale.axes.findIndex((axis) => axis.name === 'x');
  if (multiscale.axes[x]?.unit !== 'micrometer') return null;
  const scale = multiscale.datasets[0]?.coordinateTransformations.find(({ type }) => type === 'scale')?.scale;
  return scale?.[x] ?? null;
}

/** The label images that were saved for an image, the newest execution's first; none when there are none. */
export async function listSavedLabels(url: string): Promise<SavedLabel[]> {
  const attributes = await readJson<LabelsAttributes>(`${withSlash(url)}labels/.zattrs`);
  return (attributes?.labels ?? []).map((path) => {
    const origin = attributes?.openhcs?.labels?.[path];
    return { path, name: origin?.name ?? path, execution: origin?.execution_id ?? '' };
  });
}

/** Open one of the label images of {@link listSavedLabels}. */
export async function openSavedLabel(url: string, label: SavedLabel): Promise<PixelLevel[]> {
  const base = `${withSlash(url)}labels/${encodeURIComponent(label.path)}/`;
  const attributes = await readJson<{ multiscales: Multiscale[] }>(`${base}.zattrs`);
  const multiscale = attributes?.multiscales[0];
  if (!multiscale)
    throw new ApiError('labels_gone', 'The label image is no longer there; its results may have been deleted.', 404);
  return openLevels(base, multiscale);
}
