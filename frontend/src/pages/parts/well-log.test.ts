// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../../shared/api';
import type { WellExecution, WellLog } from '../../shared/contracts';
import { createWellLog } from './well-log';

const well = (name: string, state: WellExecution['state'] = 'running') => ({ well: name, state }) as WellExecution;
const line = (text: string, level = 'info') => ({ time: '2026-11-25T12:00:00Z', source: 'engine', level, text });

let lines: ReturnType<typeof line>[] = [];
const get = vi.fn(async (path: string): Promise<WellLog> => {
  return { well: path.split('/')[3] ?? '', attempt: 1, lines: [...lines] as WellLog['lines'] };
});

function view() {
  const details = document.createElement('details');
  const body = document.createElement('div');
  details.append(body);
  document.body.replaceChildren(details);
  return {
    details,
    body,
    log: createWellLog({ api: { get } as unknown as Api, executionId: 'e', details, body, interval: 1000 }),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  get.mockClear();
  lines = [line('reading images')];
});
afterEach(() => vi.useRealTimers());

describe('createWellLog', () => {
  it('asks for nothing until it is opened', async () => {
    const { details, body, log } = view();
    log.show(well('A01'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(get).not.toHaveBeenCalled();
    details.open = true;
    details.dispatchEvent(new Event('toggle'));
    await vi.advanceTimersByTimeAsync(1);
    expect(get.mock.calls[0]?.[0]).toBe('executions/e/wells/A01/log/');
    expect(body.textContent).toContain('reading images');
  });

  it('reads again while the well is in work, and then no more', async () => {
    const { details, body, log } = view();
    details.open = true;
    log.show(well('A01'));
    await vi.advanceTimersByTimeAsync(1);
    lines.push(line('divide by zero', 'warning'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(body.textContent).toContain('warning: divide by zero');
    log.show(well('A01', 'done'));
    await vi.advanceTimersByTimeAsync(1);
    const asked = get.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(get.mock.calls.length).toBe(asked);
  });

  it('shows what is said as text, and never the log of another well', async () => {
    const { details, body, log } = view();
    details.open = true;
    lines = [line('<img src=x onerror=alert(1)>')];
    log.show(well('A01'));
    log.show(well('B02'));
    await vi.advanceTimersByTimeAsync(1);
    expect(body.querySelector('img')).toBeNull();
    expect(body.textContent).toContain('<img');
    expect(get.mock.calls.at(-1)?.[0]).toBe('executions/e/wells/B02/log/');
    log.show(null);
    expect(details.hidden).toBe(true);
    expect(body.textContent).toBe('');
  });
});
