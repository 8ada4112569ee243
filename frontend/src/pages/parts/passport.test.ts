// SPDX-License-Identifier: AGPL-3.0-or-later
// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest';

import type { Api } from '../../shared/api';
import { createPassport } from './passport';

const get = vi.fn();
const api = { get } as unknown as Api;
const element = (id: string) => document.getElementById(id) as HTMLElement;

beforeEach(() => {
  get.mockReset();
  document.body.innerHTML = `<div id="oh-passport" hidden><details id="oh-methods"><pre id="oh-methods-text"></pre>
    <button id="oh-methods-copy" disabled></button><span id="oh-methods-note"></span></details></div>`;
});

async function open(): Promise<void> {
  (element('oh-methods') as HTMLDetailsElement).open = true;
  element('oh-methods').dispatchEvent(new Event('toggle'));
  await vi.waitFor(() => expect(get).toHaveBeenCalled());
}

test('it is offered when the run has ended', () => {
  const part = createPassport(api, 'executions/1/');
  part.show('running');
  expect(element('oh-passport').hidden).toBe(true);
  part.show('completed_with_errors');
  expect(element('oh-passport').hidden).toBe(false);
});

test('the text comes once, when it is opened, as text', async () => {
  get.mockResolvedValue({ execution_id: '1', text: 'Plate “<b>x</b>”' });
  createPassport(api, 'executions/1/');
  expect(get).not.toHaveBeenCalled();
  await open();
  await vi.waitFor(() => expect(element('oh-methods-text').textContent).toBe('Plate “<b>x</b>”'));
  expect((element('oh-methods-copy') as HTMLButtonElement).disabled).toBe(false);
  element('oh-methods').dispatchEvent(new Event('toggle'));
  expect(get).toHaveBeenCalledTimes(1);
});

test('a refusal is told', async () => {
  get.mockRejectedValue(new Error('This run has not ended yet.'));
  createPassport(api, 'executions/1/');
  await open();
  await vi.waitFor(() => expect(element('oh-methods-note').textContent).toBe('This run has not ended yet.'));
});

test('copying goes to the clipboard, or selects where there is none', async () => {
  get.mockResolvedValue({ execution_id: '1', text: 'Done.' });
  const writeText = vi.fn().mockResolvedValueOnce(undefined).mockRejectedValueOnce(new Error('no'));
  Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
  createPassport(api, 'executions/1/');
  await open();
  await vi.waitFor(() => expect((element('oh-methods-copy') as HTMLButtonElement).disabled).toBe(false));
  element('oh-methods-copy').click();
  await vi.waitFor(() => expect(element('oh-methods-note').textContent).toBe('Copied.'));
  expect(writeText).toHaveBeenCalledWith('Done.');
  element('oh-methods-copy').click();
  await vi.waitFor(() => expect(element('oh-methods-note').textContent).toContain('Ctrl+C'));
});
