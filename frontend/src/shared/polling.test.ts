// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './api';
import type { Event, EventPage, ExecutionStatusName } from './contracts';
import { type EventPolling, pollEvents } from './polling';

/** A server with numbered events, of which it returns at most `limit` at a time. */
function server(limit = 1000) {
  const events: Event[] = [];
  const state = { status: 'running' as ExecutionStatusName, failWith: null as Error | null };
  const asked: number[] = [];
  return {
    asked,
    state,
    add(count: number) {
      for (let n = 0; n < count; n += 1) {
        events.push({ sequence: events.length + 1, time: '', kind: 'well_done', well: null, data: {} });
      }
    },
    fetchPage: vi.fn(async (since: number): Promise<EventPage> => {
      asked.push(since);
      if (state.failWith) throw state.failWith;
      const page = events.slice(since, since + limit);
      return { events: page, next: page.at(-1)?.sequence ?? since, status: state.status };
    }),
  };
}

let polling: EventPolling | undefined;
const received: number[] = [];
const onEvents = (events: Event[]) => received.push(...events.map((event) => event.sequence));

function setHidden(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new Event_('visibilitychange'));
}
const Event_ = globalThis.Event;

beforeEach(() => {
  vi.useFakeTimers();
  received.length = 0;
});

afterEach(() => {
  polling?.stop();
  vi.useRealTimers();
});

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('pollEvents', () => {
  it('delivers every event once and ends after the last one', async () => {
    const source = server(2);
    source.add(5);
    const onEnd = vi.fn();
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents, onEnd });
    await vi.advanceTimersByTimeAsync(1500);
    source.state.status = 'completed';
    source.add(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(received).toEqual(numbers(7));
    expect(onEnd.mock.calls).toEqual([['completed']]);
    const requests = source.asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source.asked).toHaveLength(requests);
  });

  it('continues from the snapshot that the page was rendered with', async () => {
    const source = server();
    source.add(5);
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents, since: 3 });
    await vi.advanceTimersByTimeAsync(10);
    expect(received).toEqual([4, 5]);
    expect(polling.cursor).toBe(5);
  });

  it('asks at once for the rest of a backlog', async () => {
    const source = server(200);
    source.add(700);
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents });
    await vi.advanceTimersByTimeAsync(50);
    expect(received).toEqual(numbers(700));
  });

  it('drops repeated events and delivers nothing behind a gap', async () => {
    const make = (sequence: number): Event => ({ sequence, time: '', kind: 'started', well: null, data: {} });
    const pages = [[1, 2], [2, 1, 3], [5], [4, 5]];
    const errors: string[] = [];
    polling = pollEvents({
      fetchPage: async () => ({ events: (pages.shift() ?? []).map(make), next: 0, status: 'running' }),
      onEvents,
      onError: (error) => errors.push((error as ApiError).code),
    });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(received).toEqual([1, 2, 3, 4, 5]);
    expect(errors).toEqual(['events_missing']);
  });

  it('backs off while the server fails, and misses nothing after it', async () => {
    const source = server();
    const waits: (number | null)[] = [];
    const onRecovered = vi.fn();
    source.state.failWith = new ApiError('service_down', 'down', 503);
    polling = pollEvents({
      fetchPage: source.fetchPage,
      onEvents,
      onRecovered,
      onError: (_, retryIn) => waits.push(retryIn),
      longestWait: 8000,
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(waits.length).toBeGreaterThanOrEqual(4);
    expect(waits.length).toBeLessThan(9);
    for (const [index, wait] of waits.entries()) {
      const full = Math.min(8000, 1000 * 2 ** (index + 1));
      expect(wait).toBeLessThanOrEqual(full);
      expect(wait).toBeGreaterThanOrEqual(full * 0.8 - 1);
    }
    source.add(3);
    source.state.failWith = null;
    await vi.advanceTimersByTimeAsync(9000);
    expect(received).toEqual([1, 2, 3]);
    expect(onRecovered).toHaveBeenCalledTimes(1);
  });

  it('stops for good when the session has ended', async () => {
    const source = server();
    source.state.failWith = new ApiError('not_signed_in', 'log in', 403);
    const onError = vi.fn();
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents, onError });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls[0]?.[1]).toBeNull();
    expect(source.asked).toHaveLength(1);
  });

  it('asks for nothing while the page is hidden and catches up when it is seen again', async () => {
    const source = server();
    source.add(1);
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents });
    await vi.advanceTimersByTimeAsync(10);
    setHidden(true);
    source.add(2);
    const requests = source.asked.length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(source.asked).toHaveLength(requests);
    setHidden(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(received).toEqual([1, 2, 3]);
  });

  it('aborts a request under way and calls nothing after stop', async () => {
    let signal: AbortSignal | undefined;
    const onError = vi.fn();
    polling = pollEvents({
      fetchPage: (_, given) =>
        new Promise((_resolve, reject) => {
          signal = given;
          given.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
        }),
      onEvents,
      onError,
    });
    await vi.advanceTimersByTimeAsync(10);
    polling.stop();
    await vi.advanceTimersByTimeAsync(10);
    expect(signal?.aborted).toBe(true);
    expect(onError).not.toHaveBeenCalled();
    expect(received).toEqual([]);
  });

  it('gives up a request that never comes back and tries again', async () => {
    let calls = 0;
    const onError = vi.fn();
    polling = pollEvents({
      fetchPage: (_, signal) => {
        calls += 1;
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      onEvents,
      onError,
    });
    await vi.advanceTimersByTimeAsync(33_000);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(calls).toBe(2);
  });

  it('asks at once on refresh, without two requests at a time', async () => {
    const source = server();
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents, interval: 60_000 });
    await vi.advanceTimersByTimeAsync(10);
    source.add(1);
    polling.refresh();
    polling.refresh();
    await vi.advanceTimersByTimeAsync(10);
    expect(received).toEqual([1]);
    expect(source.asked).toHaveLength(2);
  });

  it('tells a change of status that comes without events', async () => {
    const source = server();
    const statuses: string[] = [];
    polling = pollEvents({ fetchPage: source.fetchPage, onEvents: (_, status) => statuses.push(status) });
    await vi.advanceTimersByTimeAsync(1500);
    source.state.status = 'saving';
    await vi.advanceTimersByTimeAsync(2500);
    expect(statuses).toEqual(['running', 'saving']);
  });
});
