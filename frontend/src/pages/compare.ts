// SPDX-License-Identifier: AGPL-3.0-or-later
/** Two executions of one plate beside each other: wells in pairs, where they changed, and what was asked differently. */

import { readCatalogue } from '../editor/catalogue';
import { differencesView } from '../editor/differences-view';
import { type EditedDocument, tidied } from '../editor/document';
import { createApi } from '../shared/api';
import type { FunctionInfo } from '../shared/contracts';
import { byId, make, showNotice } from '../shared/dom';
import { readPageData } from '../shared/page-data';
import { createPlateMap } from '../shared/platemap';
import { type Comparison, compareWells, sharedNames, symmetricLimits, type WellValues } from './parts/comparison';
import type { Measurement } from './parts/documents';
import { count, formatValue } from './parts/format';
import { type Chart, drawScatter } from './parts/tables/charts';
import { titleOf } from './parts/tables/rows';

interface Side {
  execution_id: string;
  /** Columns of its tables that hold numbers, in their order. */
  measurements: string[];
  described: Measurement[];
  document: EditedDocument;
  wells: string[];
}

interface ComparePageData {
  api: string;
  results: string;
  rows: number;
  columns: number;
  before: Side;
  after: Side;
  primary: string | null;
}

interface WellValuesAnswer {
  values: Record<string, number | null>;
  statistic: 'median' | 'value';
}

const MOST_WELLS = 30;

const page = readPageData<ComparePageData>();
const api = createApi(page.api);
const chooser = byId<HTMLSelectElement>('oh-measurement');
const described = [...page.after.described, ...page.before.described];
const title = (name: string) => titleOf(name, described);
const names = sharedNames(page.before.measurements, page.after.measurements);
let scatter: Chart | undefined;
let asked = 0;

const map = createPlateMap(byId('oh-map'), {
  rows: page.rows,
  columns: page.columns,
  wells: new Set([...page.before.wells, ...page.after.wells]),
  missing: () => 'in neither run',
  label: 'Change of each well',
  selection: 'single',
  onSelectionChange: ([well]) => choose(well ?? null),
});

function choose(well: string | null): void {
  for (const line of byId('oh-changed').querySelectorAll<HTMLElement>('tr[data-well]')) {
    line.classList.toggle('oh-marked', line.dataset.well === well);
  }
  showLinks(well);
}

/** The same well in both runs. */
function showLinks(well: string | null): void {
  const host = byId('oh-chosen');
  host.hidden = well === null;
  if (well === null) return;
  const link = (side: Side, name: string) => make('a', { href: `${page.results}${side.execution_id}/#${well}` }, name);
  host.replaceChildren(`Well ${well}: `, link(page.before, 'in the first run'), ' · ', link(page.after, 'in the second run'));
}

async function readValues(side: Side, column: string): Promise<WellValuesAnswer> {
  return api.get<WellValuesAnswer>(`executions/${side.execution_id}/table/wells/`, { params: { column } });
}

async function show(): Promise<void> {
  asked += 1;
  const mine = asked;
  const name = chooser.value;
  if (!name) return;
  try {
    const [before, after] = await Promise.all([readValues(page.before, name), readValues(page.after, name)]);
    if (mine !== asked) return;
    showNotice(byId('oh-message'), '');
    const found = compareWells(before.values, after.values);
    showWords(found, name, [before.statistic, after.statistic]);
    showMap(found, name);
    showList(found, name);
    showScatter(found, name, before.values, after.values);
  } catch (error) {
    if (mine === asked) showNotice(byId('oh-message'), (error as Error).message);
  }
}

function showWords(found: Comparison, name: string, statistics: WellValuesAnswer['statistic'][]): void {
  const of = statistics.every((each) => each === 'median')
    ? 'the median over the objects of each well'
    : statistics.every((each) => each === 'value')
      ? 'the value of each well'
      : 'the median over objects in one run and the value of the well in the other, which are not quite the same';
  const parts = [`${title(name)}, ${of}: ${count(found.pairs.length, 'well')} in both runs`];
  if (found.pairs.length > 0) parts.push(`${found.unchanged} of them unchanged`);
  if (found.medianDifference !== null) parts.push(`median change ${formatValue(found.medianDifference)}`);
  if (found.correlation !== null) parts.push(`correlation ${found.correlation.toFixed(3)}`);
  if (found.onlyBefore.length > 0) parts.push(`${count(found.onlyBefore.length, 'well')} with a value in the first run only`);
  if (found.onlyAfter.length > 0) parts.push(`${count(found.onlyAfter.length, 'well')} with a value in the second run only`);
  byId('oh-words').textContent = `${parts.join(', ')}.`;
}

function showMap(found: Comparison, name: string): void {
  map.showHeatMap({
    title: `Change of ${title(name)}`,
    values: new Map(found.pairs.map((pair) => [pair.well, pair.difference])),
    scale: 'cividis',
    limits: symmetricLimits(found.pairs),
  });
}

function showList(found: Comparison, name: string): void {
  const host = byId('oh-changed');
  const changed = found.pairs.filter((pair) => pair.difference !== 0);
  if (changed.length === 0) {
    const text = found.pairs.length > 0 ? 'No well changed.' : 'No well has a value in both runs.';
    byId('oh-changed-title').textContent = 'Wells that changed most';
    host.replaceChildren(make('p', { class: 'oh-hint oh-empty' }, text));
    return;
  }
  const heads = ['Well', 'First run', 'Second run', 'Change'].map((text, index) =>
    make('th', { scope: 'col', class: index > 0 ? 'oh-figure' : null }, text),
  );
  const lines = changed.slice(0, MOST_WELLS).map((pair) => {
    const button = make('button', { type: 'button', class: 'oh-link' }, pair.well);
    button.addEventListener('click', () => {
      map.select([pair.well]);
      choose(pair.well);
    });
    const figures = [pair.before, pair.after, pair.difference].map((value) =>
      make('td', { class: 'oh-figure' }, formatValue(value)),
    );
    return make('tr', { 'data-well': pair.well }, make('th', { scope: 'row' }, button), ...figures);
  });
  const caption = `Wells that changed most in ${title(name)}${changed.length > MOST_WELLS ? ` (${MOST_WELLS} of ${changed.length})` : ''}`;
  byId('oh-changed-title').textContent = caption;
  host.replaceChildren(
    make('table', { class: 'oh-table' }, make('thead', {}, make('tr', {}, ...heads)), make('tbody', {}, ...lines)),
  );
}

function showScatter(found: Comparison, name: string, before: WellValues, after: WellValues): void {
  scatter?.destroy();
  scatter = undefined;
  const host = byId('oh-scatter');
  host.replaceChildren();
  if (found.pairs.length === 0) return;
  const wells = found.pairs.map((pair) => pair.well);
  scatter = drawScatter(
    host,
    {
      x: found.pairs.map((pair) => pair.before),
      y: found.pairs.map((pair) => pair.after),
      well: wells.map((_, index) => index),
      wells,
      field: null,
      label: null,
      object: null,
      total: wells.length,
      missing: Object.keys({ ...before, ...after }).length - wells.length,
      density: null,
    },
    {
      columns: { x: 'before', y: 'after' },
      titles: { x: `First run: ${title(name)}`, y: `Second run: ${title(name)}` },
      well: map.selection[0] ?? null,
      diagonal: true,
      onRectangle: (chosen) => {
        const within = found.pairs.filter(
          (pair) =>
            pair.before >= chosen.left && pair.before <= chosen.right && pair.after >= chosen.low && pair.after <= chosen.high,
        );
        map.setHighlighted(within.length > 0 ? new Set(within.map((pair) => pair.well)) : null);
      },
      onPoint: (index) => {
        const well = wells[index];
        if (well === undefined) return;
        map.select([well]);
        choose(well);
      },
    },
  );
}

function showNames(): void {
  const lines = [
    [names.onlyBefore, 'Measured in the first run only'],
    [names.onlyAfter, 'Measured in the second run only'],
  ] as const;
  byId('oh-only').replaceChildren(
    ...lines
      .filter(([only]) => only.length > 0)
      .map(([only, text]) => make('p', { class: 'oh-sub' }, `${text}: ${only.map(title).join(', ')}.`)),
  );
  chooser.replaceChildren(...names.both.map((name) => make('option', { value: name }, title(name))));
  if (page.primary && names.both.includes(page.primary)) chooser.value = page.primary;
  if (names.both.length === 0) byId('oh-words').textContent = 'These two runs have no measurement in common.';
}

async function showDifferences(): Promise<void> {
  let functions: ReadonlyMap<string, FunctionInfo> = new Map();
  try {
    functions = new Map((await readCatalogue(api)).map((info) => [info.id, info]));
  } catch {
    // Titles of parameters are better than their names, but the names will do.
  }
  byId('oh-differences').replaceChildren(differencesView(tidied(page.before.document), tidied(page.after.document), functions));
}

showNames();
chooser.addEventListener('change', () => void show());
void show();
void showDifferences();
