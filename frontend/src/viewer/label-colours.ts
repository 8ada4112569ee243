// SPDX-License-Identifier: AGPL-3.0-or-later
/** Turns object numbers into pixels: filled in a colour per object, or only outlined. */

import type { LabelTile } from './labels';

export type LabelStyle = 'fill' | 'outline';

/** Okabe-Ito yellow; told from a grey image with every common colour blindness. */
const OUTLINE: readonly [number, number, number] = [240, 228, 66];

/**
 * The colour of an object. Consecutive numbers, which often lie side by side, get hues a golden angle apart and one of three
 * brightnesses, so that neighbours differ without colour as well.
 */
export function objectColour(id: number): [number, number, number] {
  const hue = (id * 0.61803398875) % 1;
  const lightness = [0.62, 0.78, 0.48][id % 3] ?? 0.62;
  const channel = (shift: number) => {
    const position = (hue * 12 + shift) % 12;
    const swing = 0.85 * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - swing * Math.max(-1, Math.min(position - 3, 9 - position, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/**
 * Colour a tile (RGBA, row by row). In an outline only those pixels of an object are coloured that touch another object or
 * the background inside the tile: what lies beyond the tile's edge is unknown here and taken for the same object, since a
 * line along every tile's edge would be worse than a gap where an object ends exactly there.
 */
export function colourTile({ data, width, height }: LabelTile, style: LabelStyle): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * width * height);
  const colours = new Map<number, readonly [number, number, number]>();
  for (let index = 0; index < data.length; index += 1) {
    const id = data[index] ?? 0;
    if (id === 0 || (style === 'outline' && !onOutline(data, width, height, index))) continue;
    let colour = style === 'outline' ? OUTLINE : colours.get(id);
    if (!colour) {
      colour = objectColour(id);
      colours.set(id, colour);
    }
    pixels.set(colour, 4 * index);
    pixels[4 * index + 3] = 255;
  }
  return pixels;
}

function onOutline(data: Int32Array, width: number, height: number, index: number): boolean {
  const id = data[index];
  const x = index % width;
  return (
    (x > 0 && data[index - 1] !== id) ||
    (x < width - 1 && data[index + 1] !== id) ||
    (index >= width && data[index - width] !== id) ||
    (index < width * (height - 1) && data[index + width] !== id)
  );
}

/** White, which no other object and no outline is. */
const CHOSEN: readonly [number, number, number] = [255, 255, 255];

/** Colour only the outline of one object (RGBA, row by row), two pixels wide so that it stands out; null when it is not there. */
export function colourChosen({ data, width, height }: LabelTile, id: number): Uint8ClampedArray<ArrayBuffer> | null {
  let pixels: Uint8ClampedArray<ArrayBuffer> | null = null;
  for (let index = data.indexOf(id); index >= 0; index = data.indexOf(id, index + 1)) {
    pixels ??= new Uint8ClampedArray(4 * width * height);
    if (!onOutline(data, width, height, index)) continue;
    const right = index % width < width - 1 ? index + 1 : index;
    const below = index + width < data.length ? index + width : index;
    for (const place of [index, right, below]) {
      pixels.set(CHOSEN, 4 * place);
      pixels[4 * place + 3] = 255;
    }
  }
  return pixels;
}
