// SPDX-License-Identifier: AGPL-3.0-or-later
/** How a slider stands for a value: in even steps, or in even ratios where the range spans several powers of ten. */

export interface Limits {
  integer: boolean;
  minimum: number;
  maximum: number;
}

export interface Scale {
  /** Attributes of the `<input type="range">`. */
  min: number;
  max: number;
  step: number;
  position(value: number): number;
  value(position: number): number;
}

const POSITIONS = 200;
/** Largest over least; from here on even steps would leave the lower end to a few pixels. */
const WIDE = 50;
const WIDE_FROM_ZERO = 1000;

export function scaleOf(limits: Limits): Scale {
  const { minimum, maximum } = limits;
  if (maximum - minimum > (limits.integer ? POSITIONS : 0) && minimum > 0 && maximum / minimum >= WIDE) return ratios(limits);
  if (minimum === 0 && maximum >= WIDE_FROM_ZERO) return ratiosFromZero(limits);
  const step = roundStep(limits);
  return { min: minimum, max: maximum, step, position: (value) => value, value: (position) => tidy(position, step, limits) };
}

/** About a hundred round steps (1, 2 or 5 times a power of ten). */
export function roundStep({ integer, minimum, maximum }: Limits): number {
  const span = maximum - minimum;
  const rough = 10 ** Math.floor(Math.log10(span / 100));
  const step = [1, 2, 5, 10].map((factor) => factor * rough).find((candidate) => span / candidate <= POSITIONS) ?? rough;
  return integer ? Math.max(1, Math.round(step)) : Number(step.toPrecision(1));
}

function ratios(limits: Limits): Scale {
  const span = Math.log(limits.maximum / limits.minimum);
  return {
    min: 0,
    max: POSITIONS,
    step: 1,
    position: (value) => (POSITIONS * Math.log(Math.max(value, limits.minimum) / limits.minimum)) / span,
    value: (position) => rounded(limits.minimum * Math.exp((span * position) / POSITIONS), limits),
  };
}

/** From 0 on, in ratios of one more than the value. */
function ratiosFromZero(limits: Limits): Scale {
  const span = Math.log1p(limits.maximum);
  return {
    min: 0,
    max: POSITIONS,
    step: 1,
    position: (value) => (POSITIONS * Math.log1p(Math.max(value, 0))) / span,
    value: (position) => rounded(Math.expm1((span * position) / POSITIONS), limits),
  };
}

/** Two significant digits, but never beyond the limits; the limits themselves exactly. */
function rounded(value: number, { integer, minimum, maximum }: Limits): number {
  const plain = Number(value.toPrecision(2));
  const whole = integer ? Math.round(plain) : plain;
  return Math.min(Math.max(whole, minimum), maximum);
}

/** Without the dust of binary fractions: 0.30000000000000004 is 0.3. */
function tidy(value: number, step: number, { minimum, maximum }: Limits): number {
  const digits = Math.max(0, -Math.floor(Math.log10(step))) + 2;
  return Math.min(Math.max(Number(value.toFixed(digits)), minimum), maximum);
}
