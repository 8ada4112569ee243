// SPDX-License-Identifier: AGPL-3.0-or-later
/** What the service and the engine say about the chosen well; while it is open and the well is in work, it is read again. */

import type { Api } from '../../shared/api';
import type { WellExecution, WellLog } from '../../shared/contracts';
import { make } from '../../shared/dom';

export interface WellLogView {
  /** Show the log of a well, or of none. Called again whenever something happened to it. */
  show(well: WellExecution | null): void;
}

export interface WellLogOptions {
  api: Api;
  executionId: string;
  details: HTMLDetailsElement;
  body: HTMLElement;
  /** Milliseconds between two looks while the well is in work. */
  interval?: number;
}

const IN_WORK: ReadonlySet<string> = new Set(['staging', 'running', 'saving']);

export function createWellLog({ api, executionId, details, body, interval = 2000 }: WellLogOptions): WellLogView {
  let chosen: WellExecution | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = false;
  let again = false;

  async function read(): Promise<void> {
    clearTimeout(timer);
    if (!chosen || !details.open) return;
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    again = false;
    const asked = chosen.well;
    try {
      const log = await api.get<WellLog>(`executions/${executionId}/wells/${asked}/log/`);
      if (chosen?.well === asked) write(log);
    } catch (error) {
      if (chosen?.well === asked)
        body.replaceChildren(make('p', { class: 'oh-hint', role: 'alert' }, (error as Error).message));
    } finally {
      reading = false;
    }
    if (again) void read();
    else if (chosen && IN_WORK.has(chosen.state)) timer = setTimeout(() => void read(), interval);
  }

  function write(log: WellLog): void {
    const atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < 24;
    const lines = log.lines.map((line) =>
      make(
        'li',
        { class: `oh-log-${line.source} oh-log-${line.level}` },
        make('time', { datetime: line.time }, new Date(line.time).toLocaleTimeString('en-GB')),
        ` ${line.level === 'info' ? '' : `${line.level}: `}${line.text}`,
      ),
    );
    body.replaceChildren(
      lines.length ? make('ol', { class: 'oh-plain oh-log' }, ...lines) : make('p', { class: 'oh-hint' }, 'Nothing yet.'),
    );
    if (atEnd) body.scrollTop = body.scrollHeight;
  }

  details.addEventListener('toggle', () => void read());
  return {
    show(well) {
      if (well?.well !== chosen?.well) body.replaceChildren();
      chosen = well;
      details.hidden = well === null;
      void read();
    },
  };
}
