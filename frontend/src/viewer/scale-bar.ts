// SPDX-License-Identifier: AGPL-3.0-or-later
/** How long a scale bar is, and what stands at it. */

export interface ScaleBar {
  /** Length on the screen, in CSS pixels. */
  length: number;
  text: string;
}

const STEPS = [1, 2, 5];

/**
 * The longest bar of at most `longest` screen pixels whose length is 1, 2 or 5 times a power of ten.
 *
 * `zoom` is deck.gl's: an image pixel takes 2 ** zoom screen pixels. Without a pixel size the bar counts image pixels.
 */
export function scaleBar(pixelSize: number | null, zoom: number, longest: number): ScaleBar {
  const perScreenPixel = (pixelSize ?? 1) / 2 ** zoom;
  const limit = longest * perScreenPixel;
  const power = 10 ** Math.floor(Math.log10(limit));
  const step = STEPS.filter((candidate) => candidate * power <= limit * (1 + 1e-9)).at(-1) ?? 1;
  const value = step * power;
  return { length: value / perScreenPixel, text: pixelSize === null ? `${readable(value)} px` : withUnit(value) };
}

function withUnit(micrometres: number): string {
  if (micrometres >= 1000) return `${readable(micrometres / 1000)} mm`;
  if (micrometres < 1) return `${readable(micrometres * 1000)} nm`;
  return `${readable(micrometres)} µm`;
}

function readable(value: number): string {
  return String(Number(value.toPrecision(3)));
}
