// SPDX-License-Identifier: AGPL-3.0-or-later
/** The measurements that the document describes: what tables and heat maps call each column. */

import { make } from '../shared/dom';
import type { Measurement } from './document';
import { addMeasurement, changeDocument, changeMeasurement } from './edits';
import { icon, iconButton, rename } from './icons';
import { type Problems, problemAt, showProblem } from './problems';
import type { Store } from './store';

export interface MeasurementTable {
  update(problems: Problems): void;
}

const LEVELS: readonly Measurement['level'][] = ['well', 'field', 'object'];

export function createMeasurementTable(host: HTMLElement, store: Store): MeasurementTable {
  const hint = make(
    'p',
    { class: 'oh-hint' },
    'How tables and heat maps name the columns that the steps fill. A column that is not described here is shown with its own name.',
  );
  const list = make('ul', { class: 'oh-measurements' });
  const add = make('button', { type: 'button', class: 'oh-button oh-button-small' }, icon('add'), 'Describe a column');
  add.addEventListener('click', () => {
    store.edit(addMeasurement);
    rows.at(-1)?.focus();
  });
  host.replaceChildren(hint, list, add);
  const rows: Row[] = [];

  return {
    update(problems) {
      const { measurements } = store.document;
      const names = [...new Set(measurements.map((entry) => entry.name))];
      while (rows.length > names.length) rows.pop()?.element.remove();
      names.forEach((name, index) => {
        rows[index] ??= newRow(list, index, store);
        const entries = measurements.filter((entry) => entry.name === name);
        const problem = measurements
          .map((entry, place) => (entry.name === name ? problemAt(problems, `measurements.${place}`) : ''))
          .find(Boolean);
        rows[index]?.update(entries, problem ?? '');
      });
    },
  };
}

interface Row {
  element: HTMLElement;
  focus(): void;
  update(entries: readonly Measurement[], problem: string): void;
}

function newRow(list: HTMLElement, index: number, store: Store): Row {
  let current: readonly Measurement[] = [];
  const id = `oh-measurement-${index}`;
  const error = make('p', { class: 'oh-field-error', id: `${id}-error`, hidden: true });
  const input = (part: string, label: string, size: number) =>
    make('input', {
      type: 'text',
      id: `${id}-${part}`,
      class: 'oh-input',
      'aria-label': label,
      placeholder: label,
      size,
      autocomplete: 'off',
      'aria-describedby': error.id,
    });
  const title = input('title', 'Title', 18);
  const name = input('name', 'Column', 14);
  const unit = input('unit', 'Unit', 8);
  const nameNow = () => current[0]?.name ?? '';
  const edit = (change: Partial<Omit<Measurement, 'level'>>, what: string) =>
    store.edit((document) => changeMeasurement(document, nameNow(), change), `${id}.${what}`);
  title.addEventListener('input', () => edit({ title: title.value }, 'title'));
  name.addEventListener('input', () => {
    // Two columns of one name would become one: such a name waits until it is another.
    const taken = store.document.measurements.some((entry) => entry.name === name.value);
    showProblem(name, error, taken && name.value !== nameNow() ? 'Another measurement has this column.' : '');
    if (!taken) edit({ name: name.value }, 'name');
  });
  unit.addEventListener('input', () => edit({ unit: unit.value || null }, 'unit'));
  const boxes = LEVELS.map((level) => {
    const box = make('input', { type: 'checkbox', id: `${id}-${level}` });
    box.addEventListener('change', () => {
      const wanted = LEVELS.filter((_, at) => boxes[at]?.box.checked);
      if (wanted.length > 0) store.edit((document) => changeMeasurement(document, nameNow(), {}, wanted));
      else box.checked = true;
    });
    return { level, box, label: make('label', { class: 'oh-check', for: box.id }, box, level) };
  });
  const remove = iconButton('remove', '', () =>
    store.edit((document) =>
      changeDocument(document, {
        measurements: document.measurements.filter((entry) => entry.name !== nameNow()),
        primary_measurement: document.primary_measurement === nameNow() ? null : document.primary_measurement,
      }),
    ),
  );
  const levels = make(
    'span',
    { class: 'oh-measurement-levels', role: 'group', 'aria-label': 'Given per' },
    ...boxes.map(({ label }) => label),
  );
  const element = make('li', {}, title, name, unit, levels, remove, error);
  list.append(element);

  return {
    element,
    focus() {
      title.focus();
      title.select();
    },
    update(entries, problem) {
      current = entries;
      const first = entries[0];
      if (!first) return;
      if (title.value !== first.title) title.value = first.title;
      if (name.value !== first.name && document.activeElement !== name) name.value = first.name;
      if (unit.value !== (first.unit ?? '')) unit.value = first.unit ?? '';
      for (const { level, box } of boxes) box.checked = entries.some((entry) => entry.level === level);
      rename(remove, `Remove ${first.title}`);
      showProblem(title, error, problem);
    },
  };
}
