// SPDX-License-Identifier: AGPL-3.0-or-later
/** The page for running a pipeline on a plate. */

import { type Api, ApiError, createApi, newIdempotencyKey } from '../shared/api';
import type { ExecutionCreated } from '../shared/contracts';
import { readPageData } from '../shared/page-data';
import { createPlateMap } from '../shared/platemap';
import type { ExecutePageData, ParameterValue, PipelineDocument, PipelineVersions } from './parts/documents';
import { byId, make, showNotice } from '../shared/dom';
import { count } from './parts/format';
import { createParameterForm, type ParameterForm } from './parts/parameter-form';
import { followTest, type TestRun } from './parts/test-run';

const page = readPageData<ExecutePageData>();
const api: Api = createApi(page.api);
const everyWell = page.wells.map((entry) => entry.well);

const testButton = byId<HTMLButtonElement>('oh-test');
const runButton = byId<HTMLButtonElement>('oh-run');
const testWell = byId<HTMLSelectElement>('oh-test-well');
const problem = byId('oh-problem');
const wellsError = byId('oh-wells-error');
const reset = byId<HTMLButtonElement>('oh-reset');

let pipelineShown: PipelineDocument | null = null;
let form: ParameterForm | null = null;
let test: TestRun | null = null;
let busy = false;
let choices = 0;

const map = createPlateMap(byId('oh-map'), {
  rows: page.rows,
  columns: page.columns,
  wells: everyWell,
  label: `Wells of plate ${page.plate_name}`,
  selection: 'multiple',
  selected: page.selected_wells.length > 0 ? page.selected_wells : everyWell,
  onSelectionChange: showChoice,
  onOpen: (well) => {
    testWell.value = well;
  },
});

function showChoice(): void {
  const chosen = map.selection;
  const all = chosen.length === everyWell.length;
  byId('oh-well-count').textContent = all
    ? `All ${count(chosen.length, 'well')}`
    : `${chosen.length} of ${count(everyWell.length, 'well')}`;
  runButton.textContent = all ? 'Run plate' : `Run ${count(chosen.length, 'well')}`;
  // A test is most telling on a well that is going to be run.
  if (chosen.length > 0 && !chosen.includes(testWell.value)) testWell.value = chosen[0] ?? '';
  showNotice(wellsError, chosen.length === 0 ? 'Choose at least one well.' : '');
  enable();
}

function enable(): void {
  const ready = page.may_run && pipelineShown !== null && !busy && page.channels.length >= pipelineShown.minimum_channels;
  testButton.disabled = !ready;
  runButton.disabled = !ready || map.selection.length === 0;
}

function setUpWells(): void {
  byId('oh-all').addEventListener('click', () => choose(everyWell));
  byId('oh-none').addEventListener('click', () => choose([]));
  if (page.selected_wells[0]) testWell.value = page.selected_wells[0];
  showChoice();
}

function choose(wells: string[]): void {
  map.select(wells);
  showChoice();
}

/** Load every version of the chosen pipeline and show the newest; an answer that comes after another choice is dropped. */
async function loadPipeline(id: string, values: Record<string, ParameterValue> = {}): Promise<void> {
  const about = byId('oh-pipeline-about');
  const versions = byId<HTMLSelectElement>('oh-version');
  const choice = ++choices;
  pipelineShown = null;
  enable();
  try {
    const loaded = await api.get<PipelineVersions>(`pipelines/${id}/`);
    if (choice !== choices) return;
    versions.replaceChildren(
      ...loaded.versions.map((entry) => make('option', { value: entry.version }, `version ${entry.version}`)),
    );
    versions.disabled = loaded.versions.length < 2;
    versions.onchange = () => {
      const chosen = loaded.versions.find((entry) => String(entry.version) === versions.value);
      if (chosen) showPipeline(chosen, form?.changed() ?? {});
    };
    if (loaded.versions[0]) showPipeline(loaded.versions[0], values);
  } catch (error) {
    if (choice === choices) about.textContent = messageOf(error);
  }
}

function showPipeline(pipeline: PipelineDocument, values: Record<string, ParameterValue>): void {
  pipelineShown = pipeline;
  const address = new URL(`${page.pipelines_base}${encodeURIComponent(pipeline.id)}/`, document.baseURI);
  address.search = new URLSearchParams({ version: String(pipeline.version), plate: String(page.plate_id) }).toString();
  byId('oh-pipeline-about').replaceChildren(`${pipeline.description} `, make('a', { href: address.href }, 'Steps and details'));
  form = createParameterForm(byId('oh-values'), pipeline.parameters, page.channels, showChanged, values);
  showChanged();
  const missing = pipeline.minimum_channels - page.channels.length;
  showNotice(
    problem,
    missing > 0
      ? `This pipeline needs ${count(pipeline.minimum_channels, 'channel')}, and the plate has ${page.channels.length}.`
      : '',
  );
  enable();
}

function showChanged(): void {
  reset.hidden = Object.keys(form?.changed() ?? {}).length === 0;
}

/** Hand in an execution; null when it was refused, with the reasons shown where they belong. */
async function submit(what: { wells: string[] | null; test_well: string | null }): Promise<ExecutionCreated | null> {
  if (!pipelineShown || !form?.check()) return null;
  showNotice(problem, '');
  const body = {
    plate_id: page.plate_id,
    pipeline_id: pipelineShown.id,
    version: pipelineShown.version,
    parameters: form.changed(),
    ...what,
  };
  try {
    return await api.post<ExecutionCreated>('executions/', body, { headers: { 'Idempotency-Key': newIdempotencyKey() } });
  } catch (error) {
    showRefusal(error);
    return null;
  }
}

function showRefusal(error: unknown): void {
  const fields = error instanceof ApiError ? error.fieldErrors : {};
  const values = Object.entries(fields)
    .filter(([path]) => path.startsWith('parameters.'))
    .map(([path, text]) => [path.slice('parameters.'.length), text] as const);
  const left = form?.showErrors(Object.fromEntries(values)) ?? {};
  const wells = fields.wells ?? fields.test_well;
  if (wells) showNotice(wellsError, wells);
  const unplaced = [messageOf(error), ...Object.values(left)];
  showNotice(problem, [...new Set(unplaced)].join(' '));
  problem.scrollIntoView({ block: 'nearest' });
}

async function startTest(): Promise<void> {
  const pipeline = pipelineShown;
  if (!pipeline || busy) return;
  test?.stop();
  setBusy(true);
  const well = testWell.value;
  const created = await submit({ wells: null, test_well: well });
  if (!created) {
    setBusy(false);
    return;
  }
  test = followTest(byId('oh-test-result'), api, created, well, pipeline, page, () => {
    testButton.textContent = 'Test again';
    setBusy(false);
  });
}

async function startRun(): Promise<void> {
  if (busy) return;
  setBusy(true);
  const chosen = map.selection;
  const created = await submit({ wells: chosen.length === everyWell.length ? null : chosen, test_well: null });
  if (created) location.assign(created.results_url);
  else setBusy(false);
}

function setBusy(value: boolean): void {
  busy = value;
  enable();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

setUpWells();
reset.addEventListener('click', () => form?.reset());
testButton.addEventListener('click', () => void startTest());
byId<HTMLFormElement>('oh-execute').addEventListener('submit', (event) => {
  event.preventDefault();
  void startRun();
});
const pipelines = document.getElementById('oh-pipeline');
if (pipelines instanceof HTMLSelectElement) {
  pipelines.addEventListener('change', () => void loadPipeline(pipelines.value, form?.changed() ?? {}));
  if (pipelines.value) void loadPipeline(pipelines.value);
}
