// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './api';
import type { Event, EventPage, ExecutionStatusName, LiveTicket } from './contracts';
import { followEvents, liveAddress, type LiveEvents, type LiveOptions } from './live';

const DomEvent = globalThis.Event;

/** A service with numbered events: it answers polls, and serves sockets that are told of new events. */
function service() {
  const events: Event[] = [];
  const state = { status: 'running' as ExecutionStatusName, sockets: true };
  const open = new Set<FakeSocket>();
  const opened: FakeSocket[] = [];
  let polls = 0;
  let tickets = 0;
  const pageAfter = (since: number): EventPage => {
    const page = events.slice(since);
    return { events: page, next: page.at(-1)?.sequence ?? since, status: state.status };
  };
  class FakeSocket {
    onopen: (() => void) | null = null;
    onmessage: ((message: { data: string }) => void) | null = null;
    onclose: ((event: { code: number }) => void) | null = null;
    onerror: (() => void) | null = null;
    cursor: number;
    constructor(
      readonly address: string,
      readonly protocols: string[],
    ) {
      this.cursor = Number(new URL(address).searchParams.get('since'));
      opened.push(this);
      queueMicrotask(() => {
        if (!state.sockets) return this.end(1006);
        open.add(this);
        this.tell();
      });
    }
    tell(page = pageAfter(this.cursor)) {
      this.cursor = page.next;
      this.onmessage?.({ data: JSON.stringify(page) });
    }
    end(code: number) {
      open.delete(this);
      this.onclose?.({ code });
    }
    close() {
      open.delete(this);
    }
  }
  return {
    state,
    open,
    opened,
    get polls() {
      return polls;
    },
    get tickets() {
      return tickets;
    },
    add(count: number, tell = true) {
      for (let n = 0; n < count; n += 1) {
        events.push({ sequence: events.length + 1, time: '', kind: 'well_done', well: null, data: {} });
      }
      if (tell) for (const socket of open) socket.tell();
    },
    options: {
      fetchPage: async (since: number) => {
        polls += 1;
        return pageAfter(since);
      },
      fetchTicket: async (): Promise<LiveTicket> => {
        tickets += 1;
        return { ticket: `t${tickets}`, expires_in: 60, url: '/openhcs-live/executions/e/' };
      },
      openSocket: (address: string, protocols: string[]) => new FakeSocket(address, protocols) as unknown as WebSocket,
    },
  };
}

let live: LiveEvents | undefined;
let received: number[] = [];

function follow(source: ReturnType<typeof service>, more: Partial<LiveOptions> = {}): LiveEvents {
  live = followEvents({
    ...source.options,
    onEvents: (events) => received.push(...events.map((event) => event.sequence)),
    ...more,
  });
  return live;
}

function setHidden(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new DomEvent('visibilitychange'));
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
const settle = () => vi.advanceTimersByTimeAsync(10);

beforeEach(() => {
  vi.useFakeTimers();
  received = [];
});

afterEach(() => {
  live?.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('followEvents', () => {
  it('takes events from the socket at once and asks for nothing meanwhile', async () => {
    const source = service();
    source.add(3);
    follow(source);
    await settle();
    const polls = source.polls;
    source.add(1);
    expect(received).toEqual(numbers(4));
    expect(live?.connected).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.polls).toBe(polls);
  });

  it('shows the ticket as a subprotocol and the cursor in the address', async () => {
    const source = service();
    source.add(5);
    follow(source, { since: 3 });
    await settle();
    expect(source.opened[0]?.protocols).toEqual(['openhcs.events.v1', 'openhcs.ticket.t1']);
    expect(source.opened[0]?.address).toMatch(/^ws:\/\/[^/]+\/openhcs-live\/executions\/e\/\?since=[35]$/);
    expect(received).toEqual([4, 5]);
  });

  it('polls while the socket is refused, and goes back to it later', async () => {
    const source = service();
    source.state.sockets = false;
    follow(source);
    await settle();
    source.add(2);
    await vi.advanceTimersByTimeAsync(1500);
    expect(received).toEqual([1, 2]);
    expect(live?.connected).toBe(false);
    source.state.sockets = true;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(live?.connected).toBe(true);
    source.add(1);
    expect(received).toEqual([1, 2, 3]);
  });

  it('misses and repeats nothing when the connection breaks', async () => {
    const source = service();
    follow(source);
    await settle();
    source.add(4);
    for (const socket of [...source.open]) socket.end(1006);
    source.add(3, false);
    await vi.advanceTimersByTimeAsync(10_000);
    source.add(2);
    expect(received).toEqual(numbers(9));
  });

  it('fills a gap by asking', async () => {
    const source = service();
    follow(source);
    await settle();
    source.add(3, false);
    const [socket] = source.open;
    socket?.tell({
      events: [{ sequence: 3, time: '', kind: 'well_done', well: null, data: {} }],
      next: 3,
      status: 'running',
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(received).toEqual([1, 2, 3]);
  });

  it('gives up a connection that is silent', async () => {
    const source = service();
    follow(source);
    await settle();
    source.add(2, false); // the other end went to sleep with its connection open
    await vi.advanceTimersByTimeAsync(26_000);
    expect(received).toEqual([1, 2]);
  });

  it('stays connected while the service says that it is there', async () => {
    const source = service();
    follow(source);
    await settle();
    for (let n = 0; n < 8; n += 1) {
      await vi.advanceTimersByTimeAsync(15_000);
      for (const socket of source.open) socket.tell();
    }
    expect(source.tickets).toBe(1);
    expect(live?.connected).toBe(true);
  });

  it('comes again with a new ticket when it is told to', async () => {
    const source = service();
    follow(source);
    await settle();
    for (const socket of [...source.open]) socket.end(4001);
    source.add(1, false);
    await settle();
    expect(source.tickets).toBe(2);
    expect(live?.connected).toBe(true);
    expect(received).toEqual([1]);
  });

  it('hangs up while the page is hidden and catches up when it is seen again', async () => {
    const source = service();
    follow(source);
    await settle();
    setHidden(true);
    expect(source.open.size).toBe(0);
    source.add(3);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(received).toEqual([]);
    setHidden(false);
    await settle();
    expect(received).toEqual([1, 2, 3]);
    expect(live?.connected).toBe(true);
  });

  it('does not trust a connection from before the network was away', async () => {
    const source = service();
    follow(source);
    await settle();
    source.add(2, false);
    window.dispatchEvent(new DomEvent('online'));
    await settle();
    expect(received).toEqual([1, 2]);
    expect(source.opened).toHaveLength(2);
  });

  it('only polls when tickets are refused for good', async () => {
    const source = service();
    const fetchTicket = vi.fn(async () => {
      throw new ApiError('public_user', 'no', 403);
    });
    follow(source, { fetchTicket });
    await vi.advanceTimersByTimeAsync(300_000);
    expect(fetchTicket).toHaveBeenCalledTimes(1);
    source.add(1);
    await vi.advanceTimersByTimeAsync(1100);
    expect(received).toEqual([1]);
  });

  it('only polls where no ticket is offered, and where no socket may be opened', async () => {
    const source = service();
    const { fetchTicket: _none, ...rest } = source.options;
    live = followEvents({ ...rest, onEvents: () => undefined });
    await vi.advanceTimersByTimeAsync(3000);
    expect(source.opened).toHaveLength(0);
    live.stop();
    follow(source, {
      openSocket: () => {
        throw new DOMException('blocked', 'SecurityError');
      },
    });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(source.tickets).toBe(1);
  });

  it('polls while a proxy lets the connection hang', async () => {
    const source = service();
    follow(source, { openSocket: () => ({ close: () => undefined }) as unknown as WebSocket });
    source.add(1);
    await vi.advanceTimersByTimeAsync(1500);
    expect(received).toEqual([1]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(source.tickets).toBeGreaterThan(2);
    expect(source.tickets).toBeLessThan(12);
  });

  it('ends once, after the last event, and lets go of the socket', async () => {
    const source = service();
    const onEnd = vi.fn();
    follow(source, { onEnd });
    await settle();
    source.state.status = 'completed';
    source.add(2);
    for (const socket of [...source.open]) socket.tell();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(onEnd.mock.calls).toEqual([['completed']]);
    expect(received).toEqual([1, 2]);
    expect(source.open.size).toBe(0);
    expect(source.tickets).toBe(1);
  });

  it('does nothing after stop', async () => {
    const source = service();
    follow(source);
    await settle();
    live?.stop();
    source.add(2);
    const polls = source.polls;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(received).toEqual([]);
    expect(source.polls).toBe(polls);
    expect(source.tickets).toBe(1);
  });
});

describe('liveAddress', () => {
  it('is of the page’s site for a path, with TLS where the page has it', () => {
    expect(liveAddress('/openhcs-live/executions/e/', 7, 'https://omero.example/openhcs/results/e/')).toBe(
      'wss://omero.example/openhcs-live/executions/e/?since=7',
    );
    expect(liveAddress('ws://127.0.0.1:7777/api/', 0, 'http://127.0.0.1:4080/')).toBe('ws://127.0.0.1:7777/api/?since=0');
  });
});
