// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Stands in for `@vivjs/loaders` in the bundle (see `vite.config.ts`).
 *
 * Viv's layers need three small things of it, and it would bring readers of GeoTIFF and half a megabyte of decoders that
 * nothing here uses: images arrive over OME-Zarr, read by `pixels.ts`.
 */

interface Shaped {
  shape: number[];
}

/** What a pixel source throws when its request was aborted; ours does not abort, since panels share requests. */
export const SIGNAL_ABORTED = '__vivSignalAborted';

/** Whether colours are stored pixel by pixel in a last axis; never so in OME-Zarr, whose last axis is x. */
export function isInterleaved(_shape: number[]): boolean {
  return false;
}

export function getImageSize({ shape }: Shaped): { height: number; width: number } {
  const [height = 0, width = 0] = shape.slice(-2);
  return { height, width };
}
