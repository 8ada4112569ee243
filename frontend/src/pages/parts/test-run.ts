// SPDX-License-Identifier: AGPL-3.0-or-later
/** Follows a test of one well and shows its result in place: figures, pictures, or why it failed. */

import type { Api } from '../../shared/api';
import type { ExecutionCreated, ExecutionStatusName, WellExecution } from '../../shared/contracts';
import { type EventPolling, pollEvents } from '../../shared/polling';
import type { ExecutePageData, ExecutionDetail, PipelineDocument } from './documents';
import { make } from '../../shared/dom';
import { failureBox } from './failure-box';
import { figuresOf } from './figures';
import { formatSeconds } from './format';
import { statusPill } from './status-pill';
import { showWellPictures } from './well-pictures';
import { foldWell } from './well-states';

export interface TestRun {
  stop(): void;
}

/** Show the test in `host`; `onEnd` is called when it is over, however it ends. */
export function followTest(
  host: HTMLElement,
  api: Api,
  created: ExecutionCreated,
  well: string,
  document: PipelineDocument,
  page: ExecutePageData,
  onEnd: () => void,
): TestRun {
  const id = created.execution_id;
  const pill = make('span', {}, statusPill('queued'));
  const now = make('span', { class: 'oh-sub oh-same-line' }, 'waiting for a free worker');
  const cancel = make('button', { type: 'button', class: 'oh-button oh-button-small' }, 'Cancel');
  const body = make('div', { class: 'oh-test-body' });
  const box = make(
    'div',
    { class: 'oh-test' },
    make('div', { class: 'oh-test-head' }, make('strong', {}, `Test of ${well}`), pill, now, cancel),
    body,
  );
  host.replaceChildren(box);
  let state: Partial<WellExecution> = {};
  let polling: EventPolling | undefined;

  cancel.addEventListener('click', () => {
    cancel.disabled = true;
    void api
      .post(`executions/${id}/cancel/`)
      .catch(fail)
      .finally(() => polling?.refresh());
  });

  function fail(error: unknown): void {
    body.replaceChildren(make('p', { class: 'oh-notice oh-notice-error', role: 'alert' }, String((error as Error).message)));
  }

  function showStatus(status: ExecutionStatusName): void {
    pill.replaceChildren(statusPill(status));
  }

  async function showEnd(status: ExecutionStatusName): Promise<void> {
    showStatus(status);
    cancel.remove();
    const execution = await api.get<ExecutionDetail>(`executions/${id}/`);
    const result = execution.wells.find((entry) => entry.well === well);
    now.replaceChildren(
      result?.seconds ? `took ${formatSeconds(result.seconds)} · ` : '',
      make('a', { href: created.results_url }, 'all details'),
    );
    if (result?.failure) body.replaceChildren(failureBox(result.failure));
    else if (status === 'cancelled') body.replaceChildren(make('p', { class: 'oh-hint' }, 'Cancelled.'));
    else if (result) await showResult(result);
    else if (execution.message) body.replaceChildren(make('p', { class: 'oh-notice oh-notice-error' }, execution.message));
  }

  async function showResult(result: WellExecution): Promise<void> {
    const pictures = make('div', { class: 'oh-well-pictures' }, make('p', { class: 'oh-hint' }, 'Loading the pictures…'));
    const { headline, others } = figuresOf(result.measurements, document.measurements, document.primary_measurement);
    body.replaceChildren(headline ?? '', pictures, others ?? '');
    await showWellPictures(pictures, {
      api,
      executionId: id,
      well,
      images: page.wells.find((entry) => entry.well === well)?.images ?? [],
      thumbnails: page.thumbnails,
      viewer: (image) => `${page.viewer}${image}/?execution=${id}&well=${well}`,
    });
  }

  polling = pollEvents({
    fetchPage: (since, signal) => api.get(`executions/${id}/events/`, { params: { since }, signal }),
    interval: Math.min(page.poll_interval_ms, 1000),
    onEvents(events, status) {
      for (const event of events) if (event.well === well) state = foldWell(state, event);
      showStatus(status);
      if (status === 'queued') now.textContent = 'waiting for a free worker';
      else if (state.state === 'staging') now.textContent = 'reading the images';
      else if (state.step_name) now.textContent = `step ${state.step} of ${state.step_count}: ${state.step_name}`;
    },
    onEnd(status) {
      void showEnd(status).catch(fail).finally(onEnd);
    },
    onError(error, retryIn) {
      if (retryIn !== null) {
        now.textContent = `${error.message}`;
        return;
      }
      fail(error);
      onEnd();
    },
  });
  return { stop: () => polling?.stop() };
}
