// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Follows the events of an execution by polling with a cursor: every event is delivered once, in order, none is left out.
 *
 * The events of an execution are numbered without gaps. The cursor moves only over events that were delivered, so after an
 * error, a sleeping laptop or a reloaded page the next request continues exactly where the last delivery ended. Repeated
 * events are dropped, and behind a gap nothing is delivered until the missing ones have come.
 */

import { ApiError } from './api';
import { type Event, type EventPage, type ExecutionStatusName, isFinal } from './contracts';

export interface EventPollingOptions {
  /** Fetch the events after `since`; usually `api.get('executions/<id>/events/', { params: { since }, signal })`. */
  fetchPage: (since: number, signal: AbortSignal) => Promise<EventPage>;
  /** Called with at least one event, or with none when only the status changed. */
  onEvents: (events: Event[], status: ExecutionStatusName) => void;
  /** Called once when the execution is final and all its events have been delivered. */
  onEnd?: (status: ExecutionStatusName) => void;
  /** Called for each failed request; `retryIn` is in milliseconds, or null when polling has stopped for good. */
  onError?: (error: Error, retryIn: number | null) => void;
  /** Called at the first success after errors. */
  onRecovered?: () => void;
  /** The sequence number of the last event that the page already knows (`last_event` of a snapshot). */
  since?: number;
  /** Milliseconds between requests while all is well; default 1000. */
  interval?: number;
  /** Milliseconds that the back-off after errors never exceeds; default 30 000. */
  longestWait?: number;
  /** The document whose visibility pauses the polling. */
  page?: Document;
}

export interface EventPolling {
  /** The sequence number of the last delivered event. */
  readonly cursor: number;
  /** Ask at once, for example after pressing *Cancel*. */
  refresh(): void;
  /**
   * Deliver what came another way, under the same rules; false when events are missing, so that they must be asked for.
   * Whatever was delivered once is not delivered again, whichever way it comes.
   */
  push(page: EventPage): boolean;
  /** Ask for nothing until `resume`, because events come another way. */
  suspend(): void;
  /** Ask again, at once. */
  resume(): void;
  /** Stop for good; nothing is called any more, and a request under way is aborted. */
  stop(): void;
}

const EVENTS_MISSING = 'events_missing';
const BACK_OFF_FACTOR = 2;
/** Waits differ by up to a fifth, so that many pages do not all return at once after a restart of the server. */
const JITTER = 0.2;
/** A page of at least so many events is taken for one of a backlog, and the next is asked for at once. */
const BACKLOG = 100;
/** Milliseconds after which a request without an answer counts as failed: a laptop that slept leaves such requests. */
const REQUEST_TIMEOUT = 30_000;

/** Begin polling at once. */
export function pollEvents(options: EventPollingOptions): EventPolling {
  const { fetchPage, onEvents, interval = 1000, longestWait = 30_000, page = document } = options;
  let cursor = options.since ?? 0;
  let status: ExecutionStatusName | undefined;
  let failures = 0;
  let stopped = false;
  let suspended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  let again = false;

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    running?.abort();
    page.removeEventListener('visibilitychange', onVisibility);
  }

  function schedule(milliseconds: number): void {
    clearTimeout(timer);
    // A hidden page asks for nothing; `onVisibility` continues.
    if (!stopped && !suspended && !page.hidden) timer = setTimeout(() => void ask(), milliseconds);
  }

  function onVisibility(): void {
    if (page.hidden) clearTimeout(timer);
    else refresh();
  }

  function refresh(): void {
    if (stopped) return;
    if (running) again = true;
    else schedule(0);
  }

  async function ask(): Promise<void> {
    if (running || stopped) return;
    const request = new AbortController();
    running = request;
    again = false;
    const limit = setTimeout(() => request.abort(new DOMException('no answer', 'TimeoutError')), REQUEST_TIMEOUT);
    let wait: number | null;
    try {
      wait = deliver(await fetchPage(cursor, request.signal));
    } catch (error) {
      wait = stopped ? null : fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      clearTimeout(limit);
      running = undefined;
    }
    if (wait !== null && !stopped) schedule(again ? 0 : wait);
  }

  function push(answer: EventPage): boolean {
    if (stopped) return true;
    try {
      deliver(answer);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === EVENTS_MISSING) return false;
      throw error;
    }
  }

  function suspend(): void {
    suspended = true;
    clearTimeout(timer);
  }

  function resume(): void {
    if (!suspended) return;
    suspended = false;
    refresh();
  }

  /** Deliver what is new; returns how long to wait, or null at the end. */
  function deliver(answer: EventPage): number | null {
    if (stopped) return null;
    const fresh = following(answer.events, cursor);
    const unknown = answer.events.some((event) => event.sequence > cursor);
    if (unknown && fresh.length === 0) {
      throw new ApiError(EVENTS_MISSING, `The server left out events after number ${cursor}.`, 502);
    }
    if (failures > 0) {
      failures = 0;
      options.onRecovered?.();
    }
    const last = fresh.at(-1);
    if (last) cursor = last.sequence;
    if (fresh.length > 0 || answer.status !== status) {
      status = answer.status;
      onEvents(fresh, answer.status);
    }
    // Only an empty page ends it: one that brought something may be followed by more.
    if (fresh.length > 0) return isFinal(answer.status) || fresh.length >= BACKLOG ? 0 : interval;
    if (!isFinal(answer.status)) return interval;
    stop();
    options.onEnd?.(answer.status);
    return null;
  }

  function fail(error: Error): number | null {
    if (error instanceof ApiError && !error.temporary) {
      stop();
      options.onError?.(error, null);
      return null;
    }
    failures += 1;
    const doubled = Math.min(longestWait, interval * BACK_OFF_FACTOR ** failures);
    const wait = Math.round(doubled * (1 - JITTER * Math.random()));
    options.onError?.(error, wait);
    return wait;
  }

  page.addEventListener('visibilitychange', onVisibility);
  schedule(0);
  return {
    get cursor() {
      return cursor;
    },
    refresh,
    push,
    suspend,
    resume,
    stop,
  };
}

/** The events that follow `cursor` without a gap, each once and in order. */
function following(events: Event[], cursor: number): Event[] {
  const ordered = [...events].sort((one, other) => one.sequence - other.sequence);
  const result: Event[] = [];
  let next = cursor + 1;
  for (const event of ordered) {
    if (event.sequence !== next) continue;
    result.push(event);
    next += 1;
  }
  return result;
}
