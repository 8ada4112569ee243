// SPDX-License-Identifier: AGPL-3.0-or-later
/** Asks for the quality of an execution as its wells finish: one question at a time, never more often than needed. */

import type { Api } from '../../shared/api';
import type { QualityReport } from './quality-report';

export interface QualityLiveOptions {
  api: Api;
  executionId: string;
  onReport: (report: QualityReport, measurement: string) => void;
  onError: (error: Error) => void;
  /**
   * Milliseconds between the beginnings of two questions about the same measurement, at least; default 3000. A server that
   * takes long is asked less often: it is busy for a fifth of the time with one page at most.
   */
  interval?: number;
}

const BREATHER = 5;

export interface QualityLive {
  /** Ask about `measurement` now, or as soon as the interval and the question under way allow. */
  ask(measurement: string): void;
  /** Ask at once, for example after control wells were marked. */
  refresh(): void;
}

export function followQuality(options: QualityLiveOptions): QualityLive {
  const { api, executionId, onReport, onError, interval = 3000 } = options;
  let wanted = '';
  let asked = '';
  let askedAt = Number.NEGATIVE_INFINITY;
  let took = 0;
  let running = false;
  let due = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    if (!due || running || !wanted) return;
    clearTimeout(timer);
    // Another measurement is somebody waiting in front of the screen; the same one only grows by a few wells.
    const wait = wanted === asked ? askedAt + Math.max(interval, BREATHER * took) - Date.now() : 0;
    timer = setTimeout(() => void run(), Math.max(0, wait));
  }

  async function run(): Promise<void> {
    due = false;
    running = true;
    asked = wanted;
    askedAt = Date.now();
    const measurement = wanted;
    try {
      const report = await api.get<QualityReport>(`executions/${executionId}/quality/`, { params: { measurement } });
      // An answer about what is not chosen any more would replace the right one.
      if (measurement === wanted) onReport(report, measurement);
    } catch (error) {
      if (measurement === wanted) onError(error as Error);
    } finally {
      took = Date.now() - askedAt;
      running = false;
      schedule();
    }
  }

  return {
    ask(measurement) {
      wanted = measurement;
      due = true;
      schedule();
    },
    refresh() {
      asked = '';
      due = true;
      schedule();
    },
  };
}
