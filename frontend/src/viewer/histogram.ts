// SPDX-License-Identifier: AGPL-3.0-or-later
/** How often which intensities occur in a channel, and limits of contrast made of that. */

import { robustLimits } from '../shared/platemap';

const SVG = 'http://www.w3.org/2000/svg';
const BINS = 64;

/** Counts of the finite values in equal bins from `low` to `high`; values beyond are counted in the outermost bins. */
export function histogram(values: ArrayLike<number | bigint>, low: number, high: number, bins = BINS): number[] {
  const counts = new Array<number>(bins).fill(0);
  const scale = high > low ? bins / (high - low) : 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = Number(values[index]);
    if (!Number.isFinite(value)) continue;
    const bin = Math.max(0, Math.min(bins - 1, Math.floor((value - low) * scale)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** From the darkest to the brightest value, or null without any finite one. A single value gets room above it. */
export function fullLimits(values: ArrayLike<number | bigint>): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index += 1) {
    const value = Number(values[index]);
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? null : [low, high > low ? high : low + 1];
}

/** Limits that leave out the darkest and brightest fiftieth; everything where the rest is one value. */
export function automaticLimits(values: ArrayLike<number | bigint>): [number, number] | null {
  const found = robustLimits(Array.from(values as ArrayLike<number>, Number).filter(Number.isFinite));
  return found && found.high > found.low ? [found.low, found.high] : fullLimits(values);
}

export interface HistogramView {
  readonly element: SVGSVGElement;
  setCounts(counts: readonly number[]): void;
  /** Mark what is drawn between black and full colour; as shares of the width. */
  setLimits(low: number, high: number): void;
}

/** Bars of logarithmic height, because backgrounds are a hundred times more frequent than objects. */
export function histogramView(title: string): HistogramView {
  const element = document.createElementNS(SVG, 'svg');
  element.setAttribute('class', 'oh-viewer-histogram');
  element.setAttribute('viewBox', '0 0 1 1');
  element.setAttribute('preserveAspectRatio', 'none');
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', `Histogram of ${title}`);
  const bars = document.createElementNS(SVG, 'path');
  const range = document.createElementNS(SVG, 'rect');
  range.setAttribute('class', 'oh-viewer-histogram-range');
  range.setAttribute('y', '0');
  range.setAttribute('height', '1');
  element.append(range, bars);
  return {
    element,
    setCounts(counts) {
      const highest = Math.log1p(Math.max(1, ...counts));
      const width = 1 / counts.length;
      const path = counts
        .map((count, index) => ({ left: index * width, height: Math.log1p(count) / highest }))
        .filter(({ height }) => height > 0)
        .map(({ left, height }) => `M${left} 1v${-height}h${width}v${height}z`);
      bars.setAttribute('d', path.join(''));
    },
    setLimits(low, high) {
      const left = Math.max(0, Math.min(1, low));
      range.setAttribute('x', String(left));
      range.setAttribute('width', String(Math.max(0, Math.min(1, high) - left)));
    },
  };
}
