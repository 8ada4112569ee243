// SPDX-License-Identifier: AGPL-3.0-or-later
/** Two executions of one plate, well by well: pairs, differences and what only one of them has. Plain functions. */

export type WellValues = Readonly<Record<string, number | null>>;

export interface Pair {
  well: string;
  before: number;
  after: number;
  /** `after - before`. */
  difference: number;
}

export interface Comparison {
  /** Wells with a value in both, those that changed most first. */
  pairs: Pair[];
  /** Wells with a value in the first only, and in the second only. */
  onlyBefore: string[];
  onlyAfter: string[];
  /** Wells that have exactly the same value. */
  unchanged: number;
  /** Pearson's correlation of the pairs; null with fewer than three of them or with constant values. */
  correlation: number | null;
  medianDifference: number | null;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function compareWells(before: WellValues, after: WellValues): Comparison {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const pairs: Pair[] = [];
  const onlyBefore: string[] = [];
  const onlyAfter: string[] = [];
  for (const well of names) {
    const [one, other] = [before[well], after[well]];
    if (isNumber(one) && isNumber(other)) pairs.push({ well, before: one, after: other, difference: other - one });
    else if (isNumber(one)) onlyBefore.push(well);
    else if (isNumber(other)) onlyAfter.push(well);
  }
  pairs.sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference));
  return {
    pairs,
    onlyBefore,
    onlyAfter,
    unchanged: pairs.filter((pair) => pair.difference === 0).length,
    correlation: correlationOf(pairs),
    medianDifference: median(pairs.map((pair) => pair.difference)),
  };
}

/** r = cov(x, y) / (sd(x) sd(y)), with sums about the means so that large values lose no digits. */
function correlationOf(pairs: readonly Pair[]): number | null {
  if (pairs.length < 3) return null;
  const mean = (of: (pair: Pair) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [middleBefore, middleAfter] = [mean((pair) => pair.before), mean((pair) => pair.after)];
  let [both, one, other] = [0, 0, 0];
  for (const pair of pairs) {
    both += (pair.before - middleBefore) * (pair.after - middleAfter);
    one += (pair.before - middleBefore) ** 2;
    other += (pair.after - middleAfter) ** 2;
  }
  return one > 0 && other > 0 ? both / Math.sqrt(one * other) : null;
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Limits that are the same on both sides of zero, so that the middle of the scale is no change. */
export function symmetricLimits(pairs: readonly Pair[]): { low: number; high: number } {
  const largest = pairs.reduce((most, pair) => Math.max(most, Math.abs(pair.difference)), 0) || 1;
  return { low: -largest, high: largest };
}

export interface SharedNames {
  both: string[];
  onlyBefore: string[];
  onlyAfter: string[];
}

/** Which measurements both have; in the order of the first. */
export function sharedNames(before: readonly string[], after: readonly string[]): SharedNames {
  return {
    both: before.filter((name) => after.includes(name)),
    onlyBefore: before.filter((name) => !after.includes(name)),
    onlyAfter: after.filter((name) => !before.includes(name)),
  };
}
