// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Testing one well, live: the newest test is followed, an older one is cancelled, and its result stays until there is another.
 *
 * The service remembers what the steps made, so a changed value computes only what it changes; the page asks often because
 * an answer takes about a second.
 */

import { type Api, newIdempotencyKey } from '../../shared/api';
import type { ExecutionCreated, ExecutionStatusName, LabelInfo, WellExecution } from '../../shared/contracts';
import { make } from '../../shared/dom';
import { fetchLabels, type LabelPixels } from '../../shared/label-pixels';
import { type EventPolling, pollEvents } from '../../shared/polling';
import type { ExecutePageData, ExecutionDetail, ParameterValue, PipelineDocument } from './documents';
import { failureBox } from './failure-box';
import { figuresOf } from './figures';
import { count, formatSeconds } from './format';
import { statusPill } from './status-pill';
import { createTestPictures } from './test-pictures';
import { foldWell } from './well-states';

/** What is tested: everything that the result depends on. */
export interface TestWish {
  pipeline: PipelineDocument;
  values: Record<string, ParameterValue>;
  well: string;
}

export interface LiveTestOptions {
  api: Api;
  page: ExecutePageData;
  /** A submission was refused. */
  onRefused: (error: unknown) => void;
  /** A test began or ended. */
  onBusy: (busy: boolean) => void;
}

export interface LiveTest {
  /** Show a well before it is tested, or another one than the last test's. */
  showWell(well: string): void;
  /** Begin a test; one that is under way is given up. */
  start(wish: TestWish): Promise<void>;
  /** Whether a test has been started on this page. */
  readonly tested: boolean;
}

const ASK_EVERY = 250;

interface Result {
  executionId: string;
  well: string;
  pipeline: PipelineDocument;
  measurements: Record<string, number | null>;
  labels: LabelInfo[];
}

export function createLiveTest(host: HTMLElement, options: LiveTestOptions): LiveTest {
  const { api, page } = options;
  const pictures = createTestPictures(page.thumbnails);
  const chooser = make('select', { class: 'oh-input', 'aria-label': 'Field' });
  const kinds = make('select', { class: 'oh-input', 'aria-label': 'Objects', hidden: true });
  const status = make('div', { class: 'oh-test-head', role: 'status' });
  const choice = make('div', { class: 'oh-row oh-test-field' }, chooser, kinds);
  const figures = make('div', { class: 'oh-test-figures' });
  const failure = make('div', {});
  const box = make(
    'div',
    { class: 'oh-test' },
    make('div', { class: 'oh-test-line' }, status, choice),
    failure,
    pictures.element,
    figures,
  );
  host.replaceChildren(box);

  let well = '';
  let turn = 0;
  let running: { id: string; polling: EventPolling } | null = null;
  let result: Result | null = null;
  let tested = false;

  const imagesOf = (name: string) => page.wells.find((entry) => entry.well === name)?.images ?? [];
  const fieldShown = () => Number(chooser.value) || 1;

  chooser.addEventListener('change', () => void showPicture());
  kinds.addEventListener('change', () => void showPicture());

  function showWell(name: string): void {
    if (name === well) return;
    well = name;
    listFields();
    void showPicture();
  }

  /** The fields of the well; with the number of objects once they are known. */
  function listFields(): void {
    const shown = fieldShown();
    const ours = result?.well === well ? result.labels.filter((label) => label.name === kindShown()) : [];
    const choices = imagesOf(well).map((_, index) => {
      const found = ours.find((label) => label.field === index + 1);
      return make(
        'option',
        { value: index + 1 },
        `Field ${index + 1}${found ? `: ${found.objects.toLocaleString('en')}` : ''}`,
      );
    });
    chooser.replaceChildren(...choices);
    chooser.value = String(shown <= choices.length ? shown : 1);
    chooser.disabled = choices.length < 2;
  }

  function kindShown(): string {
    return kinds.value || (result?.labels[0]?.name ?? '');
  }

  function listKinds(): void {
    const shown = kinds.value;
    const names = [...new Set(result?.labels.map((label) => label.name))];
    kinds.replaceChildren(...names.map((name) => make('option', { value: name }, name)));
    if (names.includes(shown)) kinds.value = shown;
    kinds.hidden = names.length < 2;
  }

  /** Show the chosen field, with the outlines of the last result when that is of this well. */
  async function showPicture(ready?: LabelPixels): Promise<void> {
    const field = fieldShown();
    const image = imagesOf(well)[field - 1];
    if (image === undefined) return;
    pictures.showField(image, `field ${field} of ${well}`);
    if (result?.well !== well) {
      box.classList.remove('oh-stale');
      figures.replaceChildren();
      pictures.showNothing(tested ? 'Not tested yet.' : 'Press “Test one well” to see what the pipeline finds.');
      return;
    }
    const shown = result;
    const label = shown.labels.find((entry) => entry.field === field && entry.name === kindShown());
    if (!label) {
      pictures.showNothing('This pipeline draws no objects.');
      return;
    }
    const pixels = ready ?? (await fetchLabels(labelUrl(shown.executionId, shown.well, field, label.name)));
    // Another field, well or result may have been chosen meanwhile.
    if (result !== shown || shown.well !== well || fieldShown() !== field || kindShown() !== label.name) return;
    const viewer = `${page.viewer}${image}/?execution=${shown.executionId}&well=${shown.well}`;
    pictures.showFound(pixels, `${count(label.objects, 'object')} outlined (${label.name})`, viewer);
  }

  function labelUrl(execution: string, name: string, field: number, kind: string): string {
    return api.url(`executions/${execution}/wells/${name}/labels/${field}/${encodeURIComponent(kind)}/`);
  }

  async function start(wish: TestWish): Promise<void> {
    const ours = ++turn;
    giveUp();
    tested = true;
    showWell(wish.well);
    say('queued', 'sending');
    box.classList.add('oh-stale');
    options.onBusy(true);
    let created: ExecutionCreated;
    try {
      const { pipeline, values } = wish;
      const body = { plate_id: page.plate_id, pipeline_id: pipeline.id, version: pipeline.version, parameters: values };
      const headers = { 'Idempotency-Key': newIdempotencyKey() };
      created = await api.post<ExecutionCreated>('executions/', { ...body, test_well: wish.well, wells: null }, { headers });
    } catch (error) {
      if (ours !== turn) return;
      end('');
      options.onRefused(error);
      return;
    }
    if (ours !== turn) cancel(created.execution_id);
    else follow(wish, created);
  }

  /** Cancel what is under way: nobody waits for it any more. */
  function giveUp(): void {
    const old = running;
    running = null;
    if (!old) return;
    old.polling.stop();
    cancel(old.id);
  }

  function cancel(id: string): void {
    // It may be over by now, which is as good.
    api.post(`executions/${id}/cancel/`).catch(() => undefined);
  }

  function follow(wish: TestWish, created: ExecutionCreated): void {
    const id = created.execution_id;
    const stop = make('button', { type: 'button', class: 'oh-button oh-button-small' }, 'Cancel');
    let state: Partial<WellExecution> = {};
    let reused = 0;
    say('queued', 'waiting for a free worker', stop);
    stop.addEventListener('click', () => {
      stop.disabled = true;
      api
        .post(`executions/${id}/cancel/`)
        .catch(fail)
        .finally(() => polling.refresh());
    });
    const polling = pollEvents({
      fetchPage: (since, signal) => api.get(`executions/${id}/events/`, { params: { since }, signal }),
      interval: ASK_EVERY,
      onEvents(events, now) {
        for (const event of events) {
          if (event.well !== wish.well) continue;
          state = foldWell(state, event);
          if (event.kind === 'well_saving' || event.kind === 'well_done') reused = Number(event.data.reused_steps ?? reused);
        }
        if (state.state === 'staging') say(now, 'reading the images', stop);
        else if (state.step_name) say(now, `step ${state.step} of ${state.step_count}: ${state.step_name}`, stop);
      },
      onEnd(now) {
        running = null;
        void finish(wish, created, now, state, reused).catch(fail);
      },
      onError(error, retryIn) {
        if (retryIn !== null) return say('running', error.message, stop);
        running = null;
        fail(error);
      },
    });
    running = { id, polling };
  }

  async function finish(
    wish: TestWish,
    created: ExecutionCreated,
    now: ExecutionStatusName,
    state: Partial<WellExecution>,
    reused: number,
  ): Promise<void> {
    const ours = turn;
    const id = created.execution_id;
    const details = make('a', { href: created.results_url }, 'all details');
    if (state.failure || now !== 'completed') {
      const message = state.failure ? '' : (await api.get<ExecutionDetail>(`executions/${id}/`)).message;
      if (ours !== turn) return;
      end(now, details);
      if (state.failure) failure.replaceChildren(failureBox(state.failure));
      else if (message) failure.replaceChildren(make('p', { class: 'oh-notice oh-notice-error', role: 'alert' }, message));
      return;
    }
    // The picture that is looked at has most likely the same name again; asked for together, it is there a moment earlier.
    const [field, kind] = [fieldShown(), kindShown()];
    const early =
      result?.well === wish.well && kind ? fetchLabels(labelUrl(id, wish.well, field, kind)).catch(() => undefined) : undefined;
    const labels = await api.get<LabelInfo[]>(`executions/${id}/wells/${wish.well}/labels/`);
    const pixels = await early;
    if (ours !== turn) return;
    const before = result?.well === wish.well && result.pipeline.id === wish.pipeline.id ? result.measurements : null;
    result = { executionId: id, well: wish.well, pipeline: wish.pipeline, measurements: state.measurements ?? {}, labels };
    listKinds();
    listFields();
    await showPicture(fieldShown() === field && kindShown() === kind ? pixels : undefined);
    showFigures(before);
    const parts = [state.seconds ? `took ${formatSeconds(state.seconds)}` : '', reusedWords(reused, state.step_count ?? 0)];
    end(now, `${parts.filter(Boolean).join(', ')} · `, details);
  }

  function showFigures(before: Record<string, number | null> | null): void {
    if (!result) return;
    const { measurements, pipeline } = result;
    const { headline, others } = figuresOf(
      measurements,
      pipeline.measurements,
      pipeline.primary_measurement,
      before ?? undefined,
    );
    const all = others ? make('details', {}, make('summary', {}, 'All measurements of the well'), others) : '';
    figures.replaceChildren(headline ?? '', all);
  }

  function say(now: ExecutionStatusName, text: string, ...more: (Node | string)[]): void {
    status.replaceChildren(
      make('strong', {}, `Test of ${well}`),
      statusPill(now),
      make('span', { class: 'oh-sub oh-same-line' }, text),
      ...more,
    );
    failure.replaceChildren();
  }

  function end(now: ExecutionStatusName | '', ...text: (Node | string)[]): void {
    box.classList.remove('oh-stale');
    status.replaceChildren();
    if (now) {
      const line = make('span', { class: 'oh-sub oh-same-line' }, ...text);
      status.replaceChildren(make('strong', {}, `Test of ${well}`), statusPill(now), line);
    }
    options.onBusy(false);
  }

  function fail(error: unknown): void {
    end('');
    const text = error instanceof Error ? error.message : String(error);
    failure.replaceChildren(make('p', { class: 'oh-notice oh-notice-error', role: 'alert' }, text));
  }

  return {
    showWell,
    start,
    get tested() {
      return tested;
    },
  };
}

/** How much of the test was taken from an earlier one, in words. */
export function reusedWords(reused: number, steps: number): string {
  if (reused === 0 || steps === 0) return '';
  return reused >= steps ? 'nothing had changed' : `${reused} of ${count(steps, 'step')} reused`;
}
