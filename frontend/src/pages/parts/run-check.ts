// SPDX-License-Identifier: AGPL-3.0-or-later
/** Asks, while somebody sets up a run, whether it would work and what it would take, and shows the answer. */

import { type Api, isAbort } from '../../shared/api';
import type { RunEstimate, ValidationReport } from '../../shared/contracts';
import { make } from '../../shared/dom';
import type { ParameterValue, PipelineDocument } from './documents';
import { count } from './format';

export interface RunWish {
  document: PipelineDocument;
  parameters: Record<string, ParameterValue>;
  /** Empty for every well with images. */
  wells: string[] | null;
}

export interface RunCheck {
  /** Something changed: check again soon. Null when there is nothing that could be run. */
  changed(wish: RunWish | null): void;
}

/** Milliseconds without a change before the service is asked. */
const PAUSE = 400;
/** Milliseconds until an incomplete answer is asked for again: OpenHCS is starting. */
const AGAIN = 1500;

/** `onReport` gets every answer, so that errors can be shown on their fields; null while nothing is known. */
export function createRunCheck(
  host: HTMLElement,
  api: Api,
  plateId: number,
  onReport: (report: ValidationReport | null) => void,
): RunCheck {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;

  function changed(wish: RunWish | null): void {
    clearTimeout(timer);
    asking?.abort();
    onReport(null);
    if (!wish) {
      host.replaceChildren();
      return;
    }
    host.setAttribute('aria-busy', 'true');
    timer = setTimeout(() => void ask(wish), PAUSE);
  }

  async function ask(wish: RunWish): Promise<void> {
    const request = new AbortController();
    asking = request;
    try {
      const report = await api.post<ValidationReport>(
        'pipelines/validate/',
        { ...wish, plate_id: plateId },
        { signal: request.signal },
      );
      if (asking !== request) return;
      host.setAttribute('aria-busy', String(!report.complete));
      host.replaceChildren(...answerOf(report));
      onReport(report);
      if (!report.complete) timer = setTimeout(() => void ask(wish), AGAIN);
    } catch (error) {
      if (isAbort(error) || asking !== request) return;
      host.setAttribute('aria-busy', 'false');
      const text = error instanceof Error ? error.message : String(error);
      host.replaceChildren(make('p', { class: 'oh-hint' }, `The run could not be checked: ${text}`));
    }
  }

  return { changed };
}

function answerOf(report: ValidationReport): HTMLElement[] {
  const parts: HTMLElement[] = [];
  if (report.estimate) {
    parts.push(
      make(
        'p',
        { class: 'oh-estimate' },
        make('strong', {}, spanOf(report.estimate.seconds)),
        ` for ${count(report.estimate.wells, 'well')} · ${sizeOf(report.estimate.memory_mb)} of memory · ${sizeOf(report.estimate.output_mb)} of results`,
      ),
      make(
        'p',
        { class: 'oh-hint' },
        `Estimated from ${report.estimate.basis}.${report.complete ? '' : ' Checking with OpenHCS…'}`,
      ),
    );
  } else if (!report.valid) {
    parts.push(make('p', { class: 'oh-field-error' }, 'This cannot be run as it is; what is wrong is said above.'));
  }
  for (const warning of report.warnings) parts.push(make('p', { class: 'oh-notice oh-warning' }, warning));
  return parts;
}

/** A span of seconds as an estimate can say it. */
export function spanOf(seconds: RunEstimate['seconds']): string {
  if (seconds < 90) return `About ${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `About ${minutes} min`;
  const hours = seconds / 3600;
  return `About ${hours < 10 ? hours.toFixed(1) : Math.round(hours)} h`;
}

/** Megabytes in the unit that people read. */
export function sizeOf(megabytes: number): string {
  if (megabytes < 1) return 'less than 1 MB';
  return megabytes < 1000 ? `${Math.round(megabytes)} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
}
