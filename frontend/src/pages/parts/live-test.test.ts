// SPDX-License-Identifier: AGPL-3.0-or-later
// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Api } from '../../shared/api';
import type { ValidationReport } from '../../shared/contracts';
import type { PipelineDocument } from './documents';
import { figuresOf } from './figures';
import { reusedWords } from './live-test';
import { createRunCheck, sizeOf, spanOf } from './run-check';

const REPORT: ValidationReport = {
  valid: true,
  field_errors: {},
  warnings: [],
  complete: true,
  estimate: {
    wells: 24,
    seconds: 150,
    seconds_per_well: 12,
    memory_mb: 420,
    output_mb: 1500,
    processed_mb: null,
    basis: 'measured on one well',
    objects: null,
    objects_per_field: null,
    objects_basis: '',
  },
};
const WISH = { document: { id: 'p' } as PipelineDocument, parameters: {}, wells: null };

describe('what is said about a test', () => {
  it('tells how much was reused', () => {
    expect(reusedWords(0, 3)).toBe('');
    expect(reusedWords(2, 3)).toBe('2 of 3 steps reused');
    expect(reusedWords(3, 3)).toBe('nothing had changed');
  });

  it('shows what a value was before only where it changed', () => {
    const { headline, others } = figuresOf({ count: 5, area: 2 }, [], 'count', { count: 7, area: 2 });
    expect(headline?.textContent).toContain('was 7');
    expect(others?.textContent).not.toContain('was');
  });
});

describe('estimates in words', () => {
  it('rounds as an estimate should', () => {
    expect([0.4, 12.3, 150, 5600, 90_000].map(spanOf)).toEqual([
      'About 1 s',
      'About 12 s',
      'About 3 min',
      'About 1.6 h',
      'About 25 h',
    ]);
    expect([0.2, 42.4, 1500].map(sizeOf)).toEqual(['less than 1 MB', '42 MB', '1.5 GB']);
  });
});

describe('checking a run while it is set up', () => {
  const asked: { body: unknown; signal: AbortSignal | undefined }[] = [];
  let answers: (ValidationReport | Error)[] = [];
  const api = {
    post: (_path: string, body: unknown, options?: { signal?: AbortSignal }) => {
      asked.push({ body, signal: options?.signal });
      const answer = answers.shift() ?? REPORT;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  } as unknown as Api;

  beforeEach(() => {
    vi.useFakeTimers();
    asked.length = 0;
    answers = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks once after many changes and shows the estimate', async () => {
    const host = document.createElement('div');
    const onReport = vi.fn();
    const check = createRunCheck(host, api, 7, onReport);
    check.changed(WISH);
    check.changed(WISH);
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked.map((each) => each.body)).toEqual([{ ...WISH, plate_id: 7 }]);
    expect(host.textContent).toContain('About 3 min for 24 wells');
    expect(host.textContent).toContain('1.5 GB of results');
    expect(onReport).toHaveBeenLastCalledWith(REPORT);
  });

  it('asks again while OpenHCS has not looked at it', async () => {
    const host = document.createElement('div');
    answers = [{ ...REPORT, complete: false }, REPORT];
    createRunCheck(host, api, 7, vi.fn()).changed(WISH);
    await vi.advanceTimersByTimeAsync(500);
    expect(host.textContent).toContain('Checking with OpenHCS');
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(2);
    expect(host.textContent).not.toContain('Checking with OpenHCS');
  });

  it('drops what is outdated, and says warnings and failures', async () => {
    const host = document.createElement('div');
    const onReport = vi.fn();
    const check = createRunCheck(host, api, 7, onReport);
    check.changed(WISH);
    await vi.advanceTimersByTimeAsync(450);
    check.changed(null);
    expect(asked[0]?.signal?.aborted).toBe(true);
    expect(onReport).toHaveBeenLastCalledWith(null);
    expect(host.textContent).toBe('');
    answers = [{ ...REPORT, warnings: ['<b>Large</b>'] }, new Error('no answer')];
    check.changed(WISH);
    await vi.advanceTimersByTimeAsync(450);
    expect(host.querySelector('b')).toBeNull();
    expect(host.textContent).toContain('<b>Large</b>');
    check.changed(WISH);
    await vi.advanceTimersByTimeAsync(450);
    expect(host.textContent).toContain('no answer');
  });
});
