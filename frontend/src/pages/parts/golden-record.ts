// SPDX-License-Identifier: AGPL-3.0-or-later
/** "Use as a golden well": choose which measurements of a finished well to expect from now on, and how exactly. */

import { type Api, ApiError } from '../../shared/api';
import type { WellExecution } from '../../shared/contracts';
import { make, showNotice } from '../../shared/dom';
import type { Measurement, PipelineDocument, ResultsPageData } from './documents';
import { ordered } from './figures';
import { formatValue, humanised } from './format';

/** Per cent at first; the server has the same defaults for those who leave the tolerances out. */
const TOLERANCE = 1;
const COUNT_TOLERANCE = 2;

interface Row {
  name: string;
  title: string;
  chosen: HTMLInputElement;
  tolerance: HTMLInputElement;
}

/** The button for a well that is done; `pipelines` is the address to which a pipeline's id is appended. */
export function goldenButton(well: WellExecution, page: ResultsPageData, api: Api): HTMLElement {
  const button = make('button', { type: 'button', class: 'oh-button oh-button-small' }, 'Use as a golden well…');
  button.addEventListener('click', () => openDialog(well, page, api));
  return button;
}

/** The relative tolerance in per cent that a measurement has when nobody chooses one. */
export function defaultTolerance(name: string): number {
  return name === 'count' || name.endsWith('_count') ? COUNT_TOLERANCE : TOLERANCE;
}

/** What is posted: the chosen measurements with their tolerances as fractions. Null when a tolerance makes no sense. */
export function chosenMeasurements(rows: readonly Row[]): { name: string; relative: number }[] | null {
  const chosen = rows.filter((row) => row.chosen.checked);
  for (const row of rows) row.tolerance.removeAttribute('aria-invalid');
  const wrong = chosen.filter((row) => row.tolerance.value.trim() === '' || !row.tolerance.checkValidity());
  for (const row of wrong) row.tolerance.setAttribute('aria-invalid', 'true');
  if (chosen.length === 0 || wrong.length > 0) return null;
  return chosen.map((row) => ({ name: row.name, relative: Number(row.tolerance.value) / 100 }));
}

function openDialog(well: WellExecution, page: ResultsPageData, api: Api): void {
  const { execution } = page;
  const own = execution.pipeline_id.startsWith(`u${execution.owner_id}-`);
  const names = ordered(Object.keys(well.measurements), page.measurements, page.primary_measurement);
  const rows = names.map((name) => rowOf(name, page.measurements));
  const note = make('input', { class: 'oh-input', id: 'oh-golden-note', maxlength: 400 });
  const problem = make('p', { class: 'oh-notice oh-notice-error', role: 'alert', hidden: true });
  const save = make(
    'button',
    { type: 'submit', class: 'oh-button oh-button-primary' },
    own ? 'Save a new version' : 'Save a copy',
  );
  const close = make('button', { type: 'button', class: 'oh-button' }, 'Cancel');
  const form = make(
    'form',
    {},
    make(
      'p',
      {},
      own
        ? `From now on, ${execution.pipeline_name} is expected to measure the same in ${well.well}. It gets a new version.`
        : `${execution.pipeline_name} is not your pipeline. A copy of your own is saved, which is expected to measure the same in ${well.well}.`,
    ),
    measurementTable(rows, well),
    make('label', { class: 'oh-row', for: note.id }, 'Note', note),
    problem,
    make('div', { class: 'oh-actions' }, close, save),
  );
  const dialog = make(
    'dialog',
    { class: 'oh-dialog oh-golden-dialog', 'aria-labelledby': 'oh-golden-dialog-title' },
    make('h2', { id: 'oh-golden-dialog-title' }, `Use ${well.well} as a golden well`),
    form,
  );

  async function submit(): Promise<void> {
    const measurements = chosenMeasurements(rows);
    if (!measurements) {
      showNotice(problem, 'Choose at least one measurement, each with a tolerance from 0 to 100 %.');
      return;
    }
    save.disabled = true;
    showNotice(problem, '');
    const body = {
      execution_id: execution.execution_id,
      well: well.well,
      measurements,
      note: note.value.trim(),
      copy_pipeline: !own,
    };
    try {
      const saved = await api.post<PipelineDocument>(`pipelines/${execution.pipeline_id}/golden-wells/`, body);
      showSaved(saved);
    } catch (error) {
      const details = error instanceof ApiError ? Object.values(error.fieldErrors) : [];
      showNotice(problem, [(error as Error).message, ...details].join(' '));
      save.disabled = false;
    }
  }

  function showSaved(saved: PipelineDocument): void {
    const link = make(
      'a',
      { href: `${page.pipelines_base}${encodeURIComponent(saved.id)}/` },
      `${saved.name}, version ${saved.version}`,
    );
    close.textContent = 'Close';
    form.replaceChildren(
      make('p', { role: 'status' }, 'Saved: ', link, '. Check its golden wells there.'),
      make('div', { class: 'oh-actions' }, close),
    );
    close.focus();
  }

  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  (document.querySelector('.oh-page') ?? document.body).append(dialog);
  dialog.showModal();
}

function rowOf(name: string, described: readonly Measurement[]): Row {
  const title = described.find((entry) => entry.name === name)?.title ?? humanised(name);
  return {
    name,
    title,
    chosen: make('input', { type: 'checkbox', checked: true, 'aria-label': `Expect ${title}` }),
    tolerance: make('input', {
      class: 'oh-input',
      type: 'number',
      min: 0,
      max: 100,
      step: 'any',
      value: defaultTolerance(name),
      'aria-label': `Tolerance of ${title} in per cent`,
    }),
  };
}

function measurementTable(rows: readonly Row[], well: WellExecution): HTMLElement {
  const head = make(
    'tr',
    {},
    make('th', { scope: 'col' }, 'Measurement'),
    make('th', { scope: 'col', class: 'oh-figure' }, 'Measured'),
    make('th', { scope: 'col', class: 'oh-figure' }, 'Tolerance (± %)'),
  );
  const body = rows.map((row) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, make('label', { class: 'oh-inline' }, row.chosen, row.title)),
      make('td', { class: 'oh-figure' }, formatValue(well.measurements[row.name])),
      make('td', { class: 'oh-figure' }, row.tolerance),
    ),
  );
  const table = make('table', { class: 'oh-table' }, make('thead', {}, head), make('tbody', {}, ...body));
  return make('div', { class: 'oh-scroll oh-scroll-tall' }, table);
}
