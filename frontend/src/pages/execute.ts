// SPDX-License-Identifier: AGPL-3.0-or-later
/** The page for running a pipeline on a plate. */

import { type Api, ApiError, createApi, newIdempotencyKey } from '../shared/api';
import type { ExecutionCreated, RunEstimate, ValidationReport } from '../shared/contracts';
import { readPageData } from '../shared/page-data';
import { createPlateMap } from '../shared/platemap';
import type { ExecutePageData, ParameterValue, PipelineDocument, PipelineVersions } from './parts/documents';
import { byId, make, showNotice } from '../shared/dom';
import { type ControlsFirstChoice, createControlsFirst } from './parts/controls-first';
import { count } from './parts/format';
import { createParameterForm, type ParameterForm } from './parts/parameter-form';
import { createLiveTest } from './parts/live-test';
import { createRunCheck } from './parts/run-check';
import { createSavingForm } from './parts/saving-options';

const page = readPageData<ExecutePageData>();
const api: Api = createApi(page.api);
const everyWell = page.wells.map((entry) => entry.well);

const testButton = byId<HTMLButtonElement>('oh-test');
const runButton = byId<HTMLButtonElement>('oh-run');
const testWell = byId<HTMLSelectElement>('oh-test-well');
const testAgain = byId<HTMLInputElement>('oh-test-again');
const problem = byId('oh-problem');
const wellsError = byId('oh-wells-error');
const reset = byId<HTMLButtonElement>('oh-reset');

let pipelineShown: PipelineDocument | null = null;
let form: ParameterForm | null = null;
let busy = false;
let testing = false;
let fits = true;
let order: ControlsFirstChoice | null = null;
let estimate: RunEstimate | null = null;
let choices = 0;
let retest: ReturnType<typeof setTimeout> | undefined;

/** Milliseconds without a change before the well is tested again. */
const RETEST_PAUSE = 350;

const map = createPlateMap(byId('oh-map'), {
  rows: page.rows,
  columns: page.columns,
  wells: everyWell,
  label: `Wells of plate ${page.plate_name}`,
  selection: 'multiple',
  selected: page.selected_wells.length > 0 ? page.selected_wells : everyWell,
  onSelectionChange: showChoice,
  onOpen: chooseTestWell,
});

const testMap = createPlateMap(byId('oh-test-map'), {
  rows: page.rows,
  columns: page.columns,
  wells: everyWell,
  label: 'Well to test',
  selection: 'single',
  onSelectionChange: ([well]) => {
    if (well) chooseTestWell(well);
    else testMap.select([testWell.value]); // one well is always the one to test
  },
  onOpen: chooseTestWell,
});

const live = createLiveTest(byId('oh-test-result'), {
  api,
  page,
  onRefused: showRefusal,
  onBusy(value) {
    testing = value;
    testButton.textContent = value ? 'Testing…' : live.tested ? 'Test again' : 'Test one well';
    enable();
    if (!value) checkSoon(); // what the test took is a better basis for the estimate
  },
});

const saving = createSavingForm();
const check = createRunCheck(byId('oh-check'), api, page.plate_id, showReport);

function chooseTestWell(well: string): void {
  const other = testWell.value !== well || testMap.selection[0] !== well;
  testWell.value = well;
  testMap.select([well]);
  live.showWell(well);
  if (other) testSoon();
}

function showChoice(): void {
  const chosen = map.selection;
  const all = chosen.length === everyWell.length;
  byId('oh-well-count').textContent = all
    ? `All ${count(chosen.length, 'well')}`
    : `${chosen.length} of ${count(everyWell.length, 'well')}`;
  runButton.textContent = all ? 'Run plate' : `Run ${count(chosen.length, 'well')}`;
  // A test is most telling on a well that is going to be run.
  if (!live.tested && chosen[0] && !chosen.includes(testWell.value)) chooseTestWell(chosen[0]);
  showNotice(wellsError, chosen.length === 0 ? 'Choose at least one well.' : '');
  checkSoon();
  enable();
}

/** Have the run checked and estimated once nothing changes for a moment. */
function checkSoon(): void {
  const chosen = map.selection;
  order?.changed(pipelineShown, chosen);
  const possible = pipelineShown !== null && form !== null && form.valid() && chosen.length > 0;
  const wells = chosen.length === everyWell.length ? null : chosen;
  check.changed(possible && pipelineShown && form ? { document: pipelineShown, parameters: form.changed(), wells } : null);
}

/** Errors go to their fields; what nobody can set on this page is said above the buttons. */
function showReport(report: ValidationReport | null): void {
  fits = report?.valid ?? true;
  estimate = report?.estimate ?? null;
  showSaving();
  enable();
  if (!report) return;
  const left = placeErrors(report.field_errors);
  const texts = [...new Set(Object.values(left))];
  showNotice(problem, texts.length > 0 ? `This pipeline cannot be run on these wells. ${texts.join(' ')}` : missingChannels());
}

/** The name as it will be and the ROIs to expect. */
function showSaving(): void {
  const values = {
    plate: page.plate_name,
    pipeline: pipelineShown?.name ?? '',
    version: String(pipelineShown?.version ?? ''),
    date: new Date().toISOString().slice(0, 10),
    user: page.user,
    execution: '1a2b3c4d',
  };
  saving.show(values, estimate);
}

/** Show errors beside what they are about and return the others. */
function placeErrors(errors: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = 'parameters.';
  const values: Record<string, string> = {};
  const ofSaving: Record<string, string> = {};
  const others: Record<string, string> = {};
  for (const [path, text] of Object.entries(errors)) {
    if (path.startsWith(prefix)) values[path.slice(prefix.length)] = text;
    else if (path.startsWith('saving')) ofSaving[path] = text;
    else if (path !== 'wells' && path !== 'test_well') others[path] = text;
  }
  const wells = errors.wells ?? errors.test_well;
  showNotice(wellsError, wells ?? (map.selection.length === 0 ? 'Choose at least one well.' : ''));
  return { ...others, ...saving.showErrors(ofSaving), ...form?.showErrors(values) };
}

function enable(): void {
  const ready = page.may_run && pipelineShown !== null && !busy && page.channels.length >= pipelineShown.minimum_channels;
  testButton.disabled = !ready || testing;
  runButton.disabled = !ready || !fits || map.selection.length === 0;
}

function setUpWells(): void {
  byId('oh-all').addEventListener('click', () => choose(everyWell));
  byId('oh-none').addEventListener('click', () => choose([]));
  chooseTestWell(page.selected_wells[0] ?? testWell.value);
  testWell.addEventListener('change', () => chooseTestWell(testWell.value));
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
  showNotice(problem, missingChannels());
  enable();
}

function missingChannels(): string {
  const needed = pipelineShown?.minimum_channels ?? 0;
  if (needed <= page.channels.length) return '';
  return `This pipeline needs ${count(needed, 'channel')}, and the plate has ${page.channels.length}.`;
}

function showChanged(): void {
  reset.hidden = Object.keys(form?.changed() ?? {}).length === 0;
  checkSoon();
  testSoon();
}

/** Test again after a change, when that is wanted and a first test was asked for. */
function testSoon(): void {
  clearTimeout(retest);
  if (live.tested && testAgain.checked) retest = setTimeout(startTest, RETEST_PAUSE);
}

/** Hand in an execution; null when it was refused, with the reasons shown where they belong. */
async function submit(wells: string[] | null): Promise<ExecutionCreated | null> {
  if (!pipelineShown || !form?.check()) return null;
  showNotice(problem, '');
  const body = {
    plate_id: page.plate_id,
    pipeline_id: pipelineShown.id,
    version: pipelineShown.version,
    parameters: form.changed(),
    wells,
    mail_when_done: (document.getElementById('oh-mail') as HTMLInputElement | null)?.checked ?? false,
    controls_first: order?.wish() ?? null,
    saving: saving.options(),
  };
  try {
    return await api.post<ExecutionCreated>('executions/', body, { headers: { 'Idempotency-Key': newIdempotencyKey() } });
  } catch (error) {
    showRefusal(error);
    return null;
  }
}

function showRefusal(error: unknown): void {
  const left = error instanceof ApiError ? placeErrors(error.fieldErrors) : {};
  const unplaced = [messageOf(error), ...Object.values(left)];
  showNotice(problem, [...new Set(unplaced)].join(' '));
  problem.scrollIntoView({ block: 'nearest' });
}

function startTest(): void {
  clearTimeout(retest);
  if (!pipelineShown || busy || !page.may_run || !form?.valid()) return;
  showNotice(problem, '');
  void live.start({ pipeline: pipelineShown, values: form.changed(), well: testWell.value });
}

async function startRun(): Promise<void> {
  if (busy || order?.check() === false) return;
  setBusy(true);
  const chosen = map.selection;
  const created = await submit(chosen.length === everyWell.length ? null : chosen);
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

showSaving();
setUpWells();
void createControlsFirst(api, page.plate_id).then((choice) => {
  order = choice;
  choice.changed(pipelineShown, map.selection);
});
reset.addEventListener('click', () => form?.reset());
testButton.addEventListener('click', () => {
  if (form?.check()) startTest();
});
byId<HTMLFormElement>('oh-execute').addEventListener('submit', (event) => {
  event.preventDefault();
  void startRun();
});
const pipelines = document.getElementById('oh-pipeline');
if (pipelines instanceof HTMLSelectElement) {
  pipelines.addEventListener('change', () => void loadPipeline(pipelines.value, form?.changed() ?? {}));
  if (pipelines.value) void loadPipeline(pipelines.value);
}
