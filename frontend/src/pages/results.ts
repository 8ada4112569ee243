// SPDX-License-Identifier: AGPL-3.0-or-later
/** The results page: follows an execution live and shows what it measured. */

import { createApi } from '../shared/api';
import {
  type ExecutionStatus,
  type ExecutionStatusName,
  isFinal,
  type LiveTicket,
  type WellExecution,
} from '../shared/contracts';
import { followEvents, type LiveEvents } from '../shared/live';
import { readPageData } from '../shared/page-data';
import { createPlateMap } from '../shared/platemap';
import { confirmed } from './parts/confirm';
import type { ExecutionDetail, ResultsPageData } from './parts/documents';
import { byId, make, showNotice } from '../shared/dom';
import { markControls } from './parts/controls-dialog';
import { createDeletion } from './parts/delete-results';
import { failureBox } from './parts/failure-box';
import { count, formatMoment, humanised, unitOf } from './parts/format';
import { createHeatOptions } from './parts/heat-options';
import { createPlatePictures, type PictureKind } from './parts/plate-pictures';
import { showQuality, sourceOf } from './parts/quality';
import { followQuality } from './parts/quality-live';
import type { PlateControls, QualityReport } from './parts/quality-report';
import { createPassport } from './parts/passport';
import { createResultsViewer } from './parts/results-viewer';
import { signInAgain } from './parts/sign-in';
import { timeLeft } from './parts/time-left';
import { statusPill, updateProgress } from './parts/status-pill';
import { createTables } from './parts/tables';
import { marksOf } from './parts/well-marks';
import { createWellLog } from './parts/well-log';
import { showWell } from './parts/well-panel';
import { countWells, foldWell, wellDetail } from './parts/well-states';

const page = readPageData<ResultsPageData>();
const api = createApi(page.api);
const id = page.execution.execution_id;
const path = `executions/${id}/`;
const ETA_INTERVAL = 3000;

let execution: ExecutionDetail = page.execution;
const deletion = createDeletion(api, path, execution.deletion);
const passport = createPassport(api, path);
const wells = new Map(execution.wells.map((well) => [well.well, well]));
/** False when the plate is gone or not readable any more. */
const imagesKnown = Object.keys(page.images).length > 0;
let chosen: string | null = null;
let askedForStatus = 0;
let signingIn = false;

const map = createPlateMap(byId('oh-map'), {
  rows: execution.rows,
  columns: execution.columns,
  wells: wells.keys(),
  missing: (well) => (imagesKnown && !page.images[well] ? 'no images' : 'not in this run'),
  label: `Wells of plate ${execution.plate_name}`,
  selection: 'single',
  onSelectionChange: ([well]) => chooseWell(well ?? null),
  onOpen: (well) => {
    map.select([well]);
    chooseWell(well);
  },
});

const tables = createTables({
  api,
  executionId: id,
  measurements: page.measurements,
  primary: page.primary_measurement,
  images: page.images,
  onWell: selectWell,
  onWells: (found) => map.setHighlighted(found),
});

const pictures = createPlatePictures({
  api,
  map,
  plateId: execution.plate_id,
  executionId: id,
  onError: (message) => showNotice(byId('oh-offline'), message),
});

const wellLog = createWellLog({
  api,
  executionId: id,
  details: byId<HTMLDetailsElement>('oh-well-log'),
  body: byId('oh-well-log-body'),
});

// ------------------------------------------------------------------ the plate and the chosen well

const shown = byId<HTMLSelectElement>('oh-shown');
const colours = createHeatOptions(showHeatMap);
/** What begins so in the list of what the plate shows is pictures; everything else is a measurement. */
const PICTURES = 'picture:';

function shownMeasurement(): string {
  return shown.value.startsWith(PICTURES) ? '' : shown.value;
}

function paintWell(well: WellExecution): void {
  map.setState(well.well, well.state, wellDetail(well));
  // B-scores of all wells change with each new one; they come with the next report.
  const name = shownMeasurement();
  if (name && !colours.read().scores) map.setValue(well.well, well.measurements[name] ?? null);
}

/** Offer every measurement that some well has, those that the pipeline describes first. */
function offerMeasurements(): void {
  const described = page.measurements.filter((entry) => entry.level === 'well').map((entry) => entry.name);
  const found = new Set([...wells.values()].flatMap((well) => Object.keys(well.measurements)));
  const names = [...described.filter((name) => found.has(name)), ...[...found].filter((name) => !described.includes(name))];
  const known = new Set([...shown.options].map((option) => option.value));
  const before = shown.querySelector(`option[value^="${PICTURES}"]`);
  for (const name of names) if (!known.has(name)) shown.insertBefore(make('option', { value: name }, titleOf(name)), before);
}

function titleOf(name: string): string {
  return page.measurements.find((entry) => entry.name === name)?.title ?? humanised(name);
}

function showHeatMap(): void {
  const name = shownMeasurement();
  colours.setVisible(name !== '');
  void pictures.show(shown.value.startsWith(PICTURES) ? (shown.value.slice(PICTURES.length) as PictureKind) : null);
  if (!name) {
    map.showHeatMap(null);
    return;
  }
  const { scores, ...look } = colours.read();
  if (scores) {
    const known = report?.measurements.find((entry) => entry.name === name);
    showNotice(byId('oh-heat-note'), known?.b_score_note ?? '');
    map.showHeatMap({ title: `B-score of ${titleOf(name)}`, values: new Map(Object.entries(known?.b_scores ?? {})), ...look });
    return;
  }
  showNotice(byId('oh-heat-note'), '');
  const values = new Map([...wells.values()].map((well) => [well.well, well.measurements[name] ?? null]));
  const described = page.measurements.find((entry) => entry.name === name);
  const unit = described ? unitOf(described) : '';
  map.showHeatMap({ title: titleOf(name), values, ...look, ...(unit ? { unit } : {}) });
}

// ------------------------------------------------------------------ quality

let report: QualityReport | null = null;

const quality = followQuality({
  api,
  executionId: id,
  onReport(found, measurement) {
    report = found;
    showControls(found.controls);
    showQuality(byId('oh-quality'), { report: found, title: titleOf(measurement), onWell: selectWell });
    if (shownMeasurement() && colours.read().scores) showHeatMap();
  },
  onError: (error) => byId('oh-quality').replaceChildren(make('p', { class: 'oh-hint', role: 'alert' }, error.message)),
});

/** The measurement on the plate, or the pipeline's main one while the states are shown. */
function askForQuality(): void {
  const names = [...shown.options].map((option) => option.value).filter((value) => value && !value.startsWith(PICTURES));
  const main = page.primary_measurement;
  const name = shownMeasurement() || (main && names.includes(main) ? main : names[0]);
  if (name) quality.ask(name);
}

function showControls(controls: PlateControls | null): void {
  byId('oh-controls-source').textContent = sourceOf(controls);
  map.setMarks(marksOf(controls?.wells ?? []));
}

async function editControls(): Promise<void> {
  const address = `plates/${execution.plate_id}/controls/`;
  try {
    markControls({
      api,
      plateId: execution.plate_id,
      rows: execution.rows,
      columns: execution.columns,
      wells: imagesKnown ? Object.keys(page.images) : wells.keys(),
      known: await api.get<PlateControls>(address),
      onSaved(controls) {
        showControls(controls);
        quality.refresh();
      },
    });
  } catch (error) {
    byId('oh-controls-source').textContent = (error as Error).message;
  }
}

function selectWell(well: string): void {
  map.select([well]);
  chooseWell(well);
}

const viewer = createResultsViewer(page, api);

function chooseWell(well: string | null): void {
  chosen = well;
  tables.mark(well);
  const found = well === null ? undefined : wells.get(well);
  byId('oh-well-title').textContent = found ? `Well ${found.well}` : 'Well';
  if (found) showWell(byId('oh-well-body'), found, page, api);
  viewer.show(found);
  wellLog.show(found ?? null);
}

// ------------------------------------------------------------------ how far it is

function showBoard(status: ExecutionStatusName): void {
  execution = { ...execution, status };
  const counts = countWells(wells.values());
  byId('oh-state').replaceChildren(statusPill(status));
  const parts = [`${counts.wells_completed} of ${count(counts.wells_total, 'well')} done`];
  if (counts.wells_failed) parts.push(`${counts.wells_failed} failed`);
  if (counts.wells_skipped) parts.push(`${counts.wells_skipped} skipped`);
  byId('oh-counts').textContent = parts.join(', ');
  updateProgress(byId('oh-progress').querySelector('.oh-progress'), counts, !isFinal(status));
  showFailures();
  showButtons(status, counts.wells_failed + counts.wells_skipped);
  if (isFinal(status)) {
    byId('oh-now').textContent = '';
    byId('oh-eta').textContent = execution.ended_at ? `ended ${formatMoment(execution.ended_at)}` : '';
  }
  if (status === 'waiting_for_sign_in') void signIn();
}

function showButtons(status: ExecutionStatusName, unfinished: number): void {
  deletion.show(status);
  passport.show(status);
  const cancel = document.getElementById('oh-cancel');
  const retry = document.getElementById('oh-retry');
  const pause = document.getElementById('oh-pause');
  if (cancel) cancel.hidden = isFinal(status);
  if (pause) {
    pause.hidden = status !== 'queued' && status !== 'running';
    pause.textContent = execution.paused ? 'Resume' : 'Pause';
  }
  // With every well done, a run with errors is one that OMERO did not take completely: it can be saved again.
  const unsaved = status === 'completed_with_errors' && unfinished === 0;
  if (retry) {
    retry.hidden = !isFinal(status) || (unfinished === 0 && !unsaved);
    retry.textContent = unsaved ? 'Save again' : 'Run failed wells again';
  }
}

function showFailures(): void {
  const failed = [...wells.values()].filter((well) => well.state === 'failed' && well.failure);
  byId('oh-failed').hidden = failed.length === 0;
  const list = byId('oh-failed-list');
  for (const well of failed) {
    if (!well.failure || list.querySelector(`[data-well="${well.well}"][data-attempt="${well.attempt}"]`)) continue;
    list.querySelector(`[data-well="${well.well}"]`)?.remove();
    const choose = make('button', { type: 'button', class: 'oh-link' }, make('strong', {}, well.well));
    choose.addEventListener('click', () => {
      map.select([well.well]);
      chooseWell(well.well);
    });
    list.append(make('li', { 'data-well': well.well, 'data-attempt': well.attempt }, choose, failureBox(well.failure)));
  }
  const names = new Set(failed.map((well) => well.well));
  for (const line of [...list.children]) if (!names.has((line as HTMLElement).dataset.well ?? '')) line.remove();
}

/** The current well and step and the estimate come from the status, asked for every few seconds. */
async function showNow(): Promise<void> {
  if (isFinal(execution.status) || Date.now() - askedForStatus < ETA_INTERVAL) return;
  askedForStatus = Date.now();
  const status = await api.get<ExecutionStatus>(`${path}status/`);
  const where = [status.current_well ? `well ${status.current_well}` : '', status.current_step ?? ''].filter(Boolean);
  byId('oh-now').textContent = where.join(' · ');
  showStanding(status);
  byId('oh-eta').textContent = timeLeft(status);
}

/** Whether it is paused, and why it waits. */
function showStanding(status: ExecutionStatus): void {
  execution = { ...execution, paused: status.paused };
  showBoard(execution.status);
  showNotice(byId('oh-message'), status.waiting_reason || status.message);
}

async function signIn(): Promise<void> {
  const message = byId('oh-message');
  if (!page.is_owner) {
    showNotice(message, `The run goes on when ${execution.owner_name} opens this page: it needs their OMERO session.`);
    return;
  }
  if (signingIn) return;
  signingIn = true;
  try {
    await signInAgain(api, id);
    showNotice(message, 'Signed in again. The run goes on.');
  } catch (error) {
    showNotice(message, `The run needs your OMERO session, but it could not be renewed: ${(error as Error).message}`);
  } finally {
    signingIn = false;
  }
}

// ------------------------------------------------------------------ results

async function showFinal(): Promise<void> {
  execution = await api.get<ExecutionDetail>(path);
  for (const well of execution.wells) {
    wells.set(well.well, well);
    paintWell(well);
  }
  offerMeasurements();
  showBoard(execution.status);
  showLinks();
  if (execution.ended_at) byId('oh-ended').textContent = formatMoment(execution.ended_at);
  const message = byId('oh-message');
  message.classList.toggle('oh-notice-error', execution.status === 'failed' || execution.status === 'completed_with_errors');
  showNotice(message, execution.message);
  if (chosen) chooseWell(chosen);
  askForQuality();
  tables.refresh();
}

function showLinks(): void {
  let any = false;
  for (const item of document.querySelectorAll<HTMLElement>('[data-oh-link]')) {
    const value = execution.results[item.dataset.ohLink as keyof typeof execution.results];
    const link = item.querySelector<HTMLAnchorElement>('a');
    if (!value || !link) continue;
    link.href = `${link.dataset.ohBase}${value}${link.dataset.ohEnd ?? ''}`;
    item.hidden = false;
    any = true;
  }
  byId('oh-nothing-saved').hidden = any || isFinal(execution.status);
}

// ------------------------------------------------------------------ following

function follow(since: number): LiveEvents {
  return followEvents({
    ...(page.live ? { fetchTicket: () => api.post<LiveTicket>(`${path}ticket/`) } : {}),
    fetchPage: (from, signal) => api.get(`${path}events/`, { params: { since: from }, signal }),
    since,
    interval: page.poll_interval_ms,
    onEvents(events, status) {
      // For scripts that watch the page: each event once, in order.
      document.dispatchEvent(new CustomEvent('openhcs:events', { detail: events.map((event) => event.sequence) }));
      let finished = false;
      for (const event of events) {
        // Somebody else may have paused it: what the page says of it is out of date.
        if (event.kind === 'paused' || event.kind === 'resumed') askedForStatus = 0;
        const before = event.well ? wells.get(event.well) : undefined;
        if (!before) continue;
        const after = foldWell(before, event);
        wells.set(before.well, after);
        paintWell(after);
        if (chosen === before.well) chooseWell(chosen);
        finished ||= event.kind === 'well_done';
        if (event.kind === 'well_done') pictures.wellDone(after.well);
      }
      if (finished) {
        offerMeasurements();
        askForQuality();
        tables.refresh();
      }
      showBoard(status);
      void showNow().catch(() => undefined);
    },
    onEnd: () => void showFinal(),
    onError: (error, retryIn) =>
      showNotice(
        byId('oh-offline'),
        retryIn === null ? error.message : `${error.message} Trying again in ${Math.ceil(retryIn / 1000)} s.`,
      ),
    onRecovered: () => showNotice(byId('oh-offline'), ''),
  });
}

let following = follow(execution.last_event);

async function command(name: 'cancel' | 'retry'): Promise<void> {
  try {
    const status = await api.post<ExecutionStatus>(`${path}${name}/`);
    showBoard(status.status);
    following.stop();
    const fresh = await api.get<ExecutionDetail>(path);
    for (const well of fresh.wells) {
      wells.set(well.well, well);
      paintWell(well);
    }
    showBoard(fresh.status);
    following = follow(fresh.last_event);
  } catch (error) {
    showNotice(byId('oh-offline'), (error as Error).message);
  }
}

async function pauseOrResume(): Promise<void> {
  try {
    showStanding(await api.post<ExecutionStatus>(`${path}${execution.paused ? 'resume' : 'pause'}/`));
  } catch (error) {
    showNotice(byId('oh-offline'), (error as Error).message);
  }
}

async function askAndCancel(): Promise<void> {
  const sure = await confirmed(
    'Cancel this run?',
    'Wells that are done keep their results. The others are not computed.',
    'Cancel the run',
    'Keep running',
  );
  if (sure) await command('cancel');
}

for (const well of wells.values()) paintWell(well);
offerMeasurements();
// Other pages link to a well here.
const linked = location.hash.slice(1);
if (wells.has(linked)) selectWell(linked);
showBoard(execution.status);
showLinks();
void showNow().catch(() => undefined);
if (
  page.primary_measurement &&
  isFinal(execution.status) &&
  [...shown.options].some((option) => option.value === page.primary_measurement)
) {
  shown.value = page.primary_measurement;
  showHeatMap();
}
askForQuality();
shown.addEventListener('change', () => {
  showHeatMap();
  askForQuality();
});
document.getElementById('oh-mark-controls')?.addEventListener('click', () => void editControls());
document.getElementById('oh-cancel')?.addEventListener('click', () => void askAndCancel());
document.getElementById('oh-pause')?.addEventListener('click', () => void pauseOrResume());
document.getElementById('oh-retry')?.addEventListener('click', () => void command('retry'));
