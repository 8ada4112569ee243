// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Heat-map colours: the perceptually uniform scales viridis and cividis, and limits that one odd well does not spoil.
 *
 * The stops are seventeen samples of the public-domain tables that Matplotlib publishes (CC0); linear interpolation between
 * them stays within 3/255 per channel of the full tables.
 */

export type ScaleName = 'viridis' | 'cividis';

const STOPS: Readonly<Record<ScaleName, string>> = {
  viridis:
    '440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725',
  cividis:
    '00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846 fee838',
};

type Colour = readonly [number, number, number];

const TABLES = Object.fromEntries(
  Object.entries(STOPS).map(([name, stops]) => [
    name,
    stops.split(' ').map((hex): Colour => {
      const value = Number.parseInt(hex, 16);
      return [value >> 16, (value >> 8) & 255, value & 255];
    }),
  ]),
) as unknown as Record<ScaleName, readonly Colour[]>;

export interface Limits {
  low: number;
  high: number;
}

/** The colour of `fraction` (0 to 1, clipped), as `#rrggbb`. */
export function scaleColour(name: ScaleName, fraction: number): string {
  const table = TABLES[name];
  const position = Math.max(0, Math.min(1, fraction)) * (table.length - 1);
  const index = Math.min(table.length - 2, Math.floor(position));
  const from = table[index] as Colour;
  const to = table[index + 1] as Colour;
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * (position - index));
  return `#${[mix(0), mix(1), mix(2)].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Black or white, whichever is easier to read on `colour` (relative luminance of WCAG 2). */
export function inkOn(colour: string): string {
  const value = Number.parseInt(colour.slice(1), 16);
  const linear = [value >> 16, (value >> 8) & 255, value & 255].map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.179 ? '#1a1a1a' : '#ffffff';
}

/** How limits are chosen: without the odd wells, from the lowest to the highest, or by hand. */
export type LimitChoice = 'robust' | 'full' | Limits;

/** Where `value` lies between the limits, 0 to 1; 0.5 when the limits are equal. */
export function fractionWithin(value: number, limits: Limits, logarithmic = false): number {
  if (limits.high <= limits.low) return 0.5;
  const [at, low, high] = logarithmic
    ? [Math.log(value), Math.log(limits.low), Math.log(limits.high)]
    : [value, limits.low, limits.high];
  return Math.max(0, Math.min(1, (at - low) / (high - low)));
}

/** Whether a heat map can show `value`: a number, and one that has a logarithm where the scale is logarithmic. */
export function isShowable(value: number | null | undefined, logarithmic = false): value is number {
  return typeof value === 'number' && Number.isFinite(value) && (!logarithmic || value > 0);
}

/** The limits for these values; null without any value that can be shown. */
export function limitsOf(values: Iterable<number | null | undefined>, choice: LimitChoice, logarithmic = false): Limits | null {
  const shown = [...values].filter((value) => isShowable(value, logarithmic));
  if (choice === 'robust') return robustLimits(shown);
  const full = shown.length > 0 ? { low: smallest(shown), high: largest(shown) } : null;
  if (choice === 'full' || full === null) return full;
  // A logarithmic scale cannot begin at zero: it begins at the smallest value then.
  const low = logarithmic && choice.low <= 0 ? Math.min(full.low, choice.high) : choice.low;
  return { low, high: choice.high };
}

/**
 * Limits from the 1st to the 99th percentile of the finite values, so that one bright well does not flatten the others. The
 * percentiles are values of wells and are not interpolated: between the last good well and an odd one there is no good
 * limit. With fewer than 20 values they would cut real wells, so the whole range is taken. Null without any value.
 */
export function robustLimits(values: Iterable<number | null | undefined>): Limits | null {
  const sorted = [...values].filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  if (sorted.length === 0) return null;
  sorted.sort((one, other) => one - other);
  const last = sorted.length - 1;
  const cut = sorted.length < 20 ? 0 : Math.ceil(0.01 * last);
  const limits = { low: sorted[cut] as number, high: sorted[last - cut] as number };
  // A plate where nearly all wells agree keeps its few different ones visible.
  if (limits.low === limits.high) return { low: sorted[0] as number, high: sorted[last] as number };
  return limits;
}

function smallest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other));
}

function largest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other));
}

/** A number for people: four significant digits, no needless zeros. */
export function readable(value: number): string {
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}
