// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { addressOf, attachLiveSearch } from './live-search';

function answer(text: string): Response {
  return new Response(`<html><body><div id="found">${text}</div><script>window.ran = true</script></body></html>`);
}

describe('a search that follows what is typed', () => {
  const failed = vi.fn();
  const fetcher = vi.fn<typeof fetch>();
  let form: HTMLFormElement;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.resetAllMocks();
    document.body.innerHTML =
      '<form action="/openhcs/pipelines/"><input name="q"><input name="show"></form><div id="found">old</div>';
    form = document.querySelector('form') as HTMLFormElement;
    attachLiveSearch(form, 'found', failed, fetcher);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function type(text: string): void {
    const input = form.elements.namedItem('q') as HTMLInputElement;
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }

  it('asks once for a word and shows what is found', async () => {
    fetcher.mockImplementation(() => Promise.resolve(answer('new')));
    for (const text of ['n', 'nu', 'nuc']) type(text);
    await vi.advanceTimersByTimeAsync(250);
    expect(fetcher).toHaveBeenCalledTimes(1);
    expect(fetcher.mock.calls[0]?.[0]).toBe(`${location.origin}/openhcs/pipelines/?q=nuc`);
    expect(document.getElementById('found')?.textContent).toBe('new');
    expect(location.search).toBe('?q=nuc');
    expect('ran' in window).toBe(false);
  });

  it('forgets a late answer to an earlier word', async () => {
    let late: (response: Response) => void = () => undefined;
    fetcher.mockImplementationOnce(() => new Promise((resolve) => (late = resolve)));
    fetcher.mockImplementationOnce(() => Promise.resolve(answer('second')));
    type('first');
    await vi.advanceTimersByTimeAsync(250);
    type('second');
    await vi.advanceTimersByTimeAsync(250);
    late(answer('first'));
    await vi.advanceTimersByTimeAsync(10);
    expect(document.getElementById('found')?.textContent).toBe('second');
  });

  it('keeps the results and says so when nobody answers', async () => {
    fetcher.mockRejectedValue(new TypeError('network'));
    type('x');
    await vi.advanceTimersByTimeAsync(250);
    expect(document.getElementById('found')?.textContent).toBe('old');
    expect(failed).toHaveBeenLastCalledWith(expect.stringContaining('does not answer'));
  });

  it('leaves out of the address what is empty', () => {
    expect(addressOf(form)).toBe(`${location.origin}/openhcs/pipelines/`);
  });
});
