// SPDX-License-Identifier: AGPL-3.0-or-later
/** A well's own measurements: the pipeline's main one as a large figure, the others as a compact list. */

import type { Measurement } from './documents';
import { make } from '../../shared/dom';
import { formatValue, humanised, unitOf } from './format';

interface Figure {
  title: string;
  value: string;
  unit: string;
  help: string | undefined;
  /** What it was before, when it was something else. */
  before: string;
}

export interface Figures {
  /** The main measurement; null when the well has none at all. */
  headline: HTMLElement | null;
  /** The others; null when there are none. */
  others: HTMLElement | null;
}

export function figuresOf(
  values: Record<string, number | null>,
  measurements: readonly Measurement[],
  primary: string | null,
  before?: Record<string, number | null>,
): Figures {
  const [first, ...rest] = ordered(Object.keys(values), measurements, primary).map((name) =>
    describe(name, values, measurements, before),
  );
  return {
    headline: first ? headlineOf(first) : null,
    others: rest.length > 0 ? make('dl', { class: 'oh-figures' }, ...rest.map(lineOf)) : null,
  };
}

/** The main measurement first, then in the order of the pipeline's document. */
export function ordered(names: string[], measurements: readonly Measurement[], primary: string | null): string[] {
  const places = new Map(measurements.map((measurement, index) => [measurement.name, index]));
  const rank = (name: string) => (name === primary ? -1 : (places.get(name) ?? measurements.length));
  return [...names].sort((one, other) => rank(one) - rank(other));
}

function describe(
  name: string,
  values: Record<string, number | null>,
  measurements: readonly Measurement[],
  before: Record<string, number | null> = {},
): Figure {
  const known = measurements.find((measurement) => measurement.name === name);
  return {
    title: known?.title ?? humanised(name),
    value: formatValue(values[name]),
    unit: known ? unitOf(known) : '',
    help: known?.help,
    before: name in before && before[name] !== values[name] ? formatValue(before[name]) : '',
  };
}

function headlineOf(figure: Figure): HTMLElement {
  return make(
    'p',
    { class: 'oh-headline', title: figure.help },
    make('strong', {}, figure.value),
    figure.unit ? ` ${figure.unit}` : '',
    beforeOf(figure),
    make('span', {}, figure.title),
  );
}

function beforeOf(figure: Figure): HTMLElement | null {
  return figure.before ? make('small', { class: 'oh-before' }, `was ${figure.before} `) : null;
}

function lineOf(figure: Figure): HTMLElement {
  return make(
    'div',
    { title: figure.help },
    make('dt', {}, figure.title),
    make('dd', {}, beforeOf(figure), figure.value, figure.unit ? make('small', {}, ` ${figure.unit}`) : null),
  );
}
