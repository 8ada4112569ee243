// SPDX-License-Identifier: AGPL-3.0-or-later
/** Outlines of a label image, drawn into a canvas that lies over a picture of the same field. */

import type { LabelPixels } from '../../shared/label-pixels';

/** The longest side of an overlay. Larger label images are drawn smaller, with outlines as thick as they need to stay seen. */
const LONGEST_SIDE = 768;

/** Okabe-Ito yellow: on grey images it is the colour that every common colour blindness tells from the image. */
const INK = [240, 228, 66, 255] as const;

/** How many label pixels one drawn pixel stands for. */
export function reductionOf(width: number, height: number): number {
  return Math.max(1, Math.ceil(Math.max(width, height) / LONGEST_SIDE));
}

/**
 * Mark the drawn pixels on outlines. A drawn pixel is on an outline when the block of label pixels it stands for holds an
 * object's pixel with a different neighbour to the right or below, so that no object is lost by drawing it smaller.
 */
export function outlines(labels: LabelPixels): { width: number; height: number; on: Uint8Array } {
  const { width, height, values } = labels;
  const reduction = reductionOf(width, height);
  const drawn = { width: Math.ceil(width / reduction), height: Math.ceil(height / reduction) };
  const on = new Uint8Array(drawn.width * drawn.height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x;
      const value = values[at] ?? 0;
      const right = x + 1 < width ? (values[at + 1] ?? 0) : value;
      const below = y + 1 < height ? (values[at + width] ?? 0) : value;
      if (value === right && value === below) continue;
      on[Math.floor(y / reduction) * drawn.width + Math.floor(x / reduction)] = 1;
    }
  }
  return { ...drawn, on };
}

export function drawOutlines(canvas: HTMLCanvasElement, labels: LabelPixels): void {
  const { width, height, on } = outlines(labels);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return;
  const picture = context.createImageData(width, height);
  for (let index = 0; index < on.length; index += 1) {
    if (on[index]) picture.data.set(INK, 4 * index);
  }
  context.putImageData(picture, 0, 0);
}
