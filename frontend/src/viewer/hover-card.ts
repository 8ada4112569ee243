// SPDX-License-Identifier: AGPL-3.0-or-later
/** A card beside the pointer: the object under it and what was measured of it. */

import { make } from '../shared/dom';
import { formatValue, humanised } from '../pages/parts/format';
import type { ObjectTable } from './objects';

const MOST_LINES = 10;
const DISTANCE = 16;

export interface HoverCard {
  readonly element: HTMLElement;
  /** Show an object beside a place in the drawing area, or nothing. */
  show(id: number | null, at: { x: number; y: number } | null): void;
  setTable(table: ObjectTable | null): void;
}

export function createHoverCard(area: HTMLElement): HoverCard {
  const element = make('div', { class: 'oh-viewer-card', hidden: true, 'aria-hidden': 'true' });
  let table: ObjectTable | null = null;
  let shown: number | null = null;

  function fill(id: number): void {
    const row = table?.rows[table.rowOf.get(id) ?? -1];
    const lines = (table?.columns ?? []).map((name, index) => ({ name, value: row?.[index] ?? null }));
    const known = row ? lines.filter(({ value }) => value !== null) : [];
    element.replaceChildren(
      make('strong', {}, `Object ${id}`),
      make(
        'dl',
        {},
        ...known
          .slice(0, MOST_LINES)
          .flatMap(({ name, value }) => [make('dt', {}, humanised(name)), make('dd', {}, formatValue(value))]),
      ),
      known.length > MOST_LINES ? make('span', {}, `${known.length - MOST_LINES} more in the table`) : '',
    );
  }

  return {
    element,
    show(id, at) {
      element.hidden = id === null || at === null;
      if (id === null || at === null) return;
      if (shown !== id) fill(id);
      shown = id;
      // On the side of the pointer where there is room.
      const left =
        at.x + DISTANCE + element.offsetWidth > area.clientWidth ? at.x - DISTANCE - element.offsetWidth : at.x + DISTANCE;
      const top = Math.min(at.y + DISTANCE, area.clientHeight - element.offsetHeight);
      element.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
    },
    setTable(next) {
      table = next;
      shown = null;
    },
  };
}
