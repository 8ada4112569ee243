// SPDX-License-Identifier: AGPL-3.0-or-later
/** What golden wells measured beside what is expected of them, drawn for the pipeline's page and for the question before sharing. */

import type { CheckState, GoldenCheck, GoldenWellCheck, MeasurementDifference } from '../../shared/contracts';
import { make } from '../../shared/dom';
import { count, formatMoment, formatValue, humanised } from './format';

/** Where the links lead, as addresses to which an id is appended, and the pipeline's titles of its measurements. */
export interface CheckLinks {
  results: string;
  omero: string;
  titles?: ReadonlyMap<string, string>;
}

const WORDS: Readonly<Record<CheckState, string>> = {
  no_golden_wells: 'No golden wells',
  not_checked: 'Not checked',
  running: 'Running',
  not_run: 'Could not be run',
  differs: 'Differs',
  agrees: 'Agrees',
};

/** The looks of the statuses of executions, which say the same kind of thing. */
const LOOKS: Readonly<Record<CheckState, string>> = {
  no_golden_wells: 'queued',
  not_checked: 'queued',
  running: 'running',
  not_run: 'failed',
  differs: 'completed_with_errors',
  agrees: 'completed',
};

export function checkPill(state: CheckState): HTMLElement {
  return make('span', { class: `oh-status oh-status-${LOOKS[state]}`, 'data-oh-check': state }, WORDS[state]);
}

/** All golden wells of one check, those that need a look first. */
export function checkTable(check: GoldenCheck, links: CheckLinks): HTMLElement {
  const rank: readonly CheckState[] = ['differs', 'not_run', 'running', 'not_checked', 'agrees'];
  const wells = [...check.wells].sort((one, other) => rank.indexOf(one.state) - rank.indexOf(other.state));
  return make('div', { class: 'oh-golden-wells' }, ...wells.map((well) => wellBox(well, links)));
}

function wellBox(well: GoldenWellCheck, links: CheckLinks): HTMLElement {
  const differing = well.differences.filter((entry) => !entry.agrees);
  const agreeing = well.differences.filter((entry) => entry.agrees);
  return make(
    'article',
    { class: 'oh-golden-well', 'data-oh-well': well.well },
    make('div', { class: 'oh-golden-head' }, make('h3', {}, placeOf(well, links)), checkPill(well.state), whenOf(well, links)),
    well.note ? make('p', { class: 'oh-sub' }, well.note) : null,
    well.message ? make('p', { class: 'oh-hint' }, well.message) : null,
    differing.length > 0 ? differenceTable(differing, links) : null,
    agreeing.length > 0
      ? make(
          'details',
          {},
          make('summary', {}, `${count(agreeing.length, 'measurement')} ${agreeing.length === 1 ? 'agrees' : 'agree'}`),
          differenceTable(agreeing, links),
        )
      : null,
  );
}

function placeOf(well: GoldenWellCheck, links: CheckLinks): HTMLElement | string {
  const name = `${well.plate_name ?? `Plate ${well.plate_id}`} · ${well.well}`;
  if (well.plate_name === null) return name;
  const shown = well.well_id === null ? `plate-${well.plate_id}` : `well-${well.well_id}`;
  return make('a', { href: `${links.omero}?show=${shown}`, title: 'Show it in OMERO' }, name);
}

function whenOf(well: GoldenWellCheck, links: CheckLinks): HTMLElement | null {
  if (!well.execution_id) return null;
  const openhcs = well.versions.openhcs ? ` with OpenHCS ${well.versions.openhcs}` : '';
  const when = well.checked_at ? `${formatMoment(well.checked_at)}${openhcs} · ` : '';
  const run = make('a', { href: `${links.results}${encodeURIComponent(well.execution_id)}/` }, 'the run');
  return make('span', { class: 'oh-sub oh-same-line' }, when, run);
}

function differenceTable(entries: readonly MeasurementDifference[], links: CheckLinks): HTMLElement {
  const heading = (text: string) => make('th', { scope: 'col', class: 'oh-figure' }, text);
  const figure = (text: string) => make('td', { class: 'oh-figure' }, text);
  const head = make('tr', {}, make('th', { scope: 'col' }, 'Measurement'));
  head.append(...['Expected', 'Found', 'Deviation', 'Allowed'].map(heading));
  const rows = entries.map((entry) =>
    make(
      'tr',
      { 'data-oh-measurement': entry.name },
      make('th', { scope: 'row' }, links.titles?.get(entry.name) ?? humanised(entry.name)),
      figure(entry.expected === null ? 'no value' : formatValue(entry.expected)),
      figure(foundText(entry)),
      figure(formatValue(entry.deviation)),
      figure(entry.allowed === null ? '–' : `± ${formatValue(entry.allowed)}`),
    ),
  );
  const table = make('table', { class: 'oh-table' }, make('thead', {}, head), make('tbody', {}, ...rows));
  return make('div', { class: 'oh-scroll' }, table);
}

function foundText(entry: MeasurementDifference): string {
  if (!entry.measured) return 'not measured';
  return entry.found === null ? 'no value' : formatValue(entry.found);
}
