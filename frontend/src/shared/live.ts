// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Follows the events of an execution over a WebSocket where there is one, and by polling where there is none.
 *
 * Polling begins at once and rests while a live connection brings the events; whatever ends the connection, or keeps it from
 * being opened, starts the polling again. Both deliver through the same cursor (see `polling.ts`), so a change from one to the
 * other, a sleeping laptop or a restarted service neither loses an event nor repeats one.
 */

import { ApiError } from './api';
import type { EventPage, LiveTicket } from './contracts';
import { type EventPolling, type EventPollingOptions, pollEvents } from './polling';

export interface LiveOptions extends EventPollingOptions {
  /** Ask for a ticket; usually `api.post('executions/<id>/ticket/')`. Absent where no live connection is offered. */
  fetchTicket?: () => Promise<LiveTicket>;
  /** Opens the connection; replaced by tests. */
  openSocket?: (address: string, protocols: string[]) => WebSocket;
}

export interface LiveEvents extends Pick<EventPolling, 'cursor' | 'refresh' | 'stop'> {
  /** Whether events come over a live connection just now. */
  readonly connected: boolean;
}

const PROTOCOL = 'openhcs.events.v1';
const TICKET_PREFIX = 'openhcs.ticket.';
/** The service closes with this code when the page must show a new ticket: nothing is wrong. */
const RENEW = 4001;
/** The service says something every 15 s; a connection that is silent for longer is dead, which TCP may tell much later. */
const SILENCE = 25_000;
/** A proxy that does not know WebSockets may never answer. */
const OPENING = 10_000;
const FIRST_PAUSE = 2000;
const LONGEST_PAUSE = 60_000;
const JITTER = 0.2;

/** Begin to follow at once. */
export function followEvents(options: LiveOptions): LiveEvents {
  const { fetchTicket, page = document, openSocket = (address, protocols) => new WebSocket(address, protocols) } = options;
  const polling = pollEvents({
    ...options,
    onEnd(status) {
      leave();
      options.onEnd?.(status);
    },
  });
  let socket: WebSocket | undefined;
  let connected = false;
  let opening = false;
  let over = fetchTicket === undefined;
  let failures = 0;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  /** No live connection any more, for good. */
  function leave(): void {
    over = true;
    clearTimeout(retry);
    hangUp();
    page.removeEventListener('visibilitychange', onVisibility);
    window.removeEventListener('online', onOnline);
  }

  function hangUp(): void {
    clearTimeout(watchdog);
    const old = socket;
    socket = undefined;
    connected = false;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = old.onerror = null;
    old.close();
  }

  async function connect(): Promise<void> {
    if (over || opening || socket || page.hidden || !fetchTicket) return;
    opening = true;
    clearTimeout(retry);
    try {
      const ticket = await fetchTicket();
      if (!over && !page.hidden) open(ticket);
    } catch (error) {
      // Refused for good: not offered here, or not to this user. Polling says what is wrong, if something is.
      if (error instanceof ApiError && !error.temporary) leave();
      else lost();
    } finally {
      opening = false;
    }
  }

  function open(ticket: LiveTicket): void {
    let next: WebSocket;
    try {
      next = openSocket(liveAddress(ticket.url, polling.cursor), [PROTOCOL, TICKET_PREFIX + ticket.ticket]);
    } catch {
      leave(); // the page's security policy, or an address that is none
      return;
    }
    socket = next;
    watch(OPENING);
    next.onmessage = (message) => receive(String(message.data));
    next.onclose = (event) => {
      if (event.code === RENEW) renew();
      else lost();
    };
  }

  function receive(text: string): void {
    watch(SILENCE);
    let answer: EventPage;
    try {
      answer = JSON.parse(text) as EventPage;
    } catch {
      lost();
      return;
    }
    if (!connected) {
      connected = true;
      failures = 0;
      polling.suspend();
    }
    // Only polling can fill a gap: it asks for what follows the cursor.
    if (!polling.push(answer)) lost();
  }

  function watch(milliseconds: number): void {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, milliseconds);
  }

  function renew(): void {
    hangUp();
    polling.resume();
    void connect();
  }

  /** Poll, and try again later. */
  function lost(): void {
    hangUp();
    polling.resume();
    if (over) return;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
    failures += 1;
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), pause * (1 - JITTER * Math.random()));
  }

  /** A hidden page needs no events; when it is seen again it catches up by polling while it connects. */
  function onVisibility(): void {
    if (page.hidden) {
      clearTimeout(retry);
      hangUp();
      polling.resume();
    } else void connect();
  }

  /** The network came back: what was open before is dead, though nobody may have said so. */
  function onOnline(): void {
    failures = 0;
    hangUp();
    polling.resume();
    polling.refresh();
    void connect();
  }

  if (!over) {
    page.addEventListener('visibilitychange', onVisibility);
    window.addEventListener('online', onOnline);
    void connect();
  }
  return {
    get cursor() {
      return polling.cursor;
    },
    get connected() {
      return connected;
    },
    refresh: polling.refresh,
    stop() {
      leave();
      polling.stop();
    },
  };
}

/** The address to connect to: `url` is a path of this site or a ws:// address. */
export function liveAddress(url: string, since: number, base = window.location.href): string {
  const address = new URL(url, base);
  address.protocol = address.protocol.replace('http', 'ws');
  address.searchParams.set('since', String(since));
  return address.href;
}
