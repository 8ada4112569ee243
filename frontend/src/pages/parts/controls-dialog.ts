// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Marking control wells: a plate on which wells are chosen, a button per role, or a CSV file.
 *
 * Nothing is saved before *Save*; compounds that a file or an earlier mark gave to a well stay with it.
 */

import type { Api } from '../../shared/api';
import { ApiError } from '../../shared/api';
import { make, showNotice } from '../../shared/dom';
import { createPlateMap, type PlateMap } from '../../shared/platemap';
import type { PlateControls, WellContent, WellRole } from './quality-report';
import { marksOf } from './well-marks';

export interface ControlsDialogOptions {
  api: Api;
  plateId: number;
  rows: number;
  columns: number;
  wells: Iterable<string>;
  known: PlateControls | null;
  onSaved: (controls: PlateControls) => void;
}

const ROLES: readonly [WellRole, string][] = [
  ['positive', 'Positive control'],
  ['negative', 'Negative control'],
  ['empty', 'Empty'],
  ['treatment', 'Treatment'],
];

/** The wells after `role` was given to `chosen`. A plain treatment is what an unlisted well is, so it is not listed. */
export function withRole(wells: readonly WellContent[], chosen: readonly string[], role: WellRole): WellContent[] {
  const next = new Map(wells.map((entry) => [entry.well, entry]));
  for (const well of chosen) {
    const before = next.get(well) ?? { well, compound: '', concentration: '' };
    if (role === 'treatment' && !before.compound && !before.concentration) next.delete(well);
    else next.set(well, { ...before, role });
  }
  return [...next.values()];
}

/** Open the dialog over the page. */
export function markControls(options: ControlsDialogOptions): void {
  const { api, plateId } = options;
  const address = `plates/${plateId}/controls/`;
  let wells: WellContent[] = [...(options.known?.wells ?? [])];
  const problem = make('div', { class: 'oh-notice oh-notice-error', role: 'alert', hidden: true });
  const host = make('div', { class: 'oh-map oh-map-controls' });
  const file = make('input', { type: 'file', accept: '.csv,.tsv,.txt,text/csv', id: 'oh-controls-file' });
  const save = make('button', { type: 'button', class: 'oh-button oh-button-primary' }, 'Save');
  const cancel = make('button', { type: 'button', class: 'oh-button' }, 'Cancel');
  const clear = make('button', { type: 'button', class: 'oh-button' }, 'Take my marks away');
  clear.hidden = options.known?.source !== 'own';
  const dialog = make(
    'dialog',
    { class: 'oh-dialog oh-dialog-plate', 'aria-labelledby': 'oh-controls-title' },
    make('h2', { id: 'oh-controls-title' }, 'Control wells'),
    make('p', { class: 'oh-hint' }, 'Choose wells (drag, or Space and Shift with the arrow keys), then say what they are.'),
    roleButtons(),
    host,
    make('p', { class: 'oh-hint' }, sharedOrNot(options.known)),
    make(
      'p',
      { class: 'oh-inline' },
      make('label', { for: 'oh-controls-file' }, 'Or from a CSV file (well, role, compound, concentration)'),
      file,
    ),
    problem,
    make('div', { class: 'oh-actions' }, cancel, clear, save),
  );

  const map: PlateMap = createPlateMap(host, {
    rows: options.rows,
    columns: options.columns,
    wells: options.wells,
    missing: () => 'not in this run',
    label: 'Wells to mark as controls',
    selection: 'multiple',
  });

  function roleButtons(): HTMLElement {
    const buttons = ROLES.map(([role, title]) => {
      const button = make('button', { type: 'button', class: 'oh-button oh-button-small', 'data-role': role }, title);
      button.addEventListener('click', () => {
        if (map.selection.length === 0) {
          showNotice(problem, 'Choose wells on the plate first.');
          return;
        }
        showNotice(problem, '');
        wells = withRole(wells, map.selection, role);
        map.setMarks(marksOf(wells));
        map.select([]);
      });
      return button;
    });
    return make('div', { class: 'oh-inline', role: 'group', 'aria-label': 'The chosen wells are' }, ...buttons);
  }

  async function send(body: { wells: WellContent[] } | { csv: string }): Promise<void> {
    save.disabled = clear.disabled = file.disabled = true;
    try {
      options.onSaved(await api.post<PlateControls>(address, body));
      dialog.close();
    } catch (error) {
      showNotice(problem, wordsOf(error as Error));
    } finally {
      save.disabled = clear.disabled = file.disabled = false;
    }
  }

  save.addEventListener('click', () => void send({ wells }));
  clear.addEventListener('click', () => void send({ wells: [] }));
  cancel.addEventListener('click', () => dialog.close());
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    // The same file, corrected, must be seen as a change again.
    if (chosen)
      void chosen
        .text()
        .then((csv) => send({ csv }))
        .finally(() => (file.value = ''));
  });
  dialog.addEventListener('close', () => {
    map.destroy();
    dialog.remove();
  });
  map.setMarks(marksOf(wells));
  (document.querySelector('.oh-page') ?? document.body).append(dialog);
  dialog.showModal();
}

function sharedOrNot(known: PlateControls | null): string {
  return known?.may_share
    ? 'They are saved on the plate in OMERO: everybody who sees the plate sees them.'
    : 'OMERO does not let you annotate this plate, so your marks are kept for yourself alone.';
}

/** A refusal with the wrong lines of a file, each on a line of its own. */
export function wordsOf(error: Error): string {
  const lines = error instanceof ApiError ? Object.entries(error.fieldErrors) : [];
  if (lines.length < 2) return error.message;
  return [...lines.map(([line, words]) => `${line}: ${words}`)].join('\n');
}
