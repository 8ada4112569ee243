// SPDX-License-Identifier: AGPL-3.0-or-later
/** What is under the pointer, in words: the place, the object, and the intensities of the channels on show. */

import type { ImageModel } from './ome-zarr';
import type { Pointer } from './stage';
import { planeOf, type ViewerState } from './store';

/** Empty outside the image. Values come from the tiles on show; a smaller level stands in where the full one is not loaded. */
export function describePointer(pointer: Pointer, image: ImageModel, state: ViewerState): string {
  const x = Math.floor(pointer.x);
  const y = Math.floor(pointer.y);
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return '';
  const parts = [`x ${x}, y ${y}`];
  const object = objectAt(pointer, image, state);
  if (object !== undefined) parts.push(object === 0 ? 'background' : `object ${object}`);
  const processed = pointer.panel === 'processed' ? state.processed : null;
  const model = processed ?? image;
  (processed ? state.processedChannels : state.channels).forEach(({ visible }, index) => {
    const value = visible ? intensityAt(model, state, index, x, y) : null;
    if (value) parts.push(`${model.channels[index]?.label ?? index}: ${value}`);
  });
  return parts.join(' · ');
}

/** The object under the pointer: its number, 0 for background, or undefined outside or where nothing has arrived. */
export function objectAt(pointer: Pointer, image: ImageModel, state: ViewerState): number | undefined {
  const [x, y] = [Math.floor(pointer.x), Math.floor(pointer.y)];
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return undefined;
  return state.labels?.objectAt(x, y, planeOf(state));
}

/** The intensity at a pixel; with a sign before it when only a mean of several pixels is loaded. Null when nothing is. */
function intensityAt(image: ImageModel, state: ViewerState, channel: number, x: number, y: number): string | null {
  for (const [index, level] of image.levels.entries()) {
    const value = level.peek(planeOf(state, channel), Math.floor(x / 2 ** index), Math.floor(y / 2 ** index));
    if (value !== undefined) return `${index > 0 ? '≈ ' : ''}${Number(Number(value).toPrecision(6))}`;
  }
  return null;
}
