// SPDX-License-Identifier: AGPL-3.0-or-later
/** A well's own measurements as large figures, the pipeline's main one first. */

import type { Measurement } from './documents';
import { make } from './dom';
import { formatValue, humanised, unitOf } from './format';

export function figureList(
  values: Record<string, number | null>,
  measurements: readonly Measurement[],
  primary: string | null,
): HTMLElement {
  const known = new Map(measurements.map((measurement) => [measurement.name, measurement]));
  const names = Object.keys(values).sort((one, other) => rank(one) - rank(other));
  function rank(name: string): number {
    if (name === primary) return -1;
    const place = measurements.findIndex((measurement) => measurement.name === name);
    return place < 0 ? measurements.length : place;
  }
  const list = make('dl', { class: 'oh-figures' });
  for (const name of names) {
    const described = known.get(name);
    const unit = described ? unitOf(described) : '';
    list.append(
      make(
        'div',
        { title: described?.help },
        make('dt', {}, described?.title ?? humanised(name)),
        make('dd', {}, formatValue(values[name]), unit ? make('small', {}, ` ${unit}`) : null),
      ),
    );
  }
  return list;
}
