// SPDX-License-Identifier: AGPL-3.0-or-later
/** Label images that the execution service holds: one array per field, before they are in OMERO or instead of that. */

import { ApiError } from './api';

export interface LabelPixels {
  width: number;
  height: number;
  /** Row by row; 0 is background. */
  values: Int32Array;
}

/** Fetch a label image from the plugin: little-endian int32 with its size in the header `X-Shape`. */
export async function fetchLabels(url: string): Promise<LabelPixels> {
  const response = await fetch(url, { credentials: 'same-origin', headers: { 'X-Requested-With': 'XMLHttpRequest' } });
  if (!response.ok) throw new ApiError('no_labels', 'The label image could not be read.', response.status);
  const [height, width] = (response.headers.get('X-Shape') ?? '').split(',').map(Number);
  const bytes = await response.arrayBuffer();
  if (!height || !width || bytes.byteLength !== 4 * height * width) {
    throw new ApiError('no_labels', 'The label image arrived incomplete.', 502);
  }
  return { width, height, values: new Int32Array(bytes) };
}
