// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepFresh } from './fresh-parts';
import { limitsOf } from './limits-form';

const html = (text: string) =>
  new Response(`<!doctype html><div id="a"><button data-oh-key="x">${text}</button><input value="1"></div>`);

describe('parts that are kept fresh', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    document.body.innerHTML = '<div id="a"><button data-oh-key="x">old</button><input value="1"></div>';
  });
  afterEach(() => vi.useRealTimers());

  it('takes the place of what is shown and keeps the focus', async () => {
    const parts = keepFresh(['a'], 1000, vi.fn(), () => Promise.resolve(html('new')));
    document.querySelector('button')?.focus();
    await parts.refresh();
    expect(document.querySelector('button')?.textContent).toBe('new');
    expect(document.activeElement).toBe(document.querySelector('button'));
    parts.stop();
  });

  it('leaves a part alone in which somebody types', async () => {
    const parts = keepFresh(['a'], 1000, vi.fn(), () => Promise.resolve(html('new')));
    const field = document.querySelector('input') as HTMLInputElement;
    field.value = '7';
    await parts.refresh();
    expect(document.querySelector('button')?.textContent).toBe('old');
    parts.stop();
  });

  it('says when nobody answers, goes on asking, and takes it back', async () => {
    const failed = vi.fn();
    const answers = [
      () => Promise.reject(new TypeError()),
      () => Promise.resolve(new Response('no', { status: 503 })),
      () => Promise.resolve(html('new')),
    ];
    const parts = keepFresh(['a'], 1000, failed, () => (answers.shift() as () => Promise<Response>)());
    await vi.advanceTimersByTimeAsync(1000);
    expect(failed).toHaveBeenLastCalledWith(expect.stringContaining('does not answer'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(failed).toHaveBeenLastCalledWith(expect.stringContaining('does not answer'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(failed).toHaveBeenLastCalledWith('');
    parts.stop();
  });
});

describe('a form of limits', () => {
  it('gives numbers, and null for what is given back', () => {
    document.body.innerHTML = '<form><input name="a" value=" 2.5 "><input name="b" value=""></form>';
    expect(limitsOf(document.querySelector('form') as HTMLFormElement)).toEqual({ a: 2.5, b: null });
  });
});
