// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The scripts of the results page and of the comparison on what their templates really write, without a server: every element
 * that a script looks for is there, and answers of the API end up where people look.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExecutionDetail, ResultsPageData } from './documents';

const TEMPLATES = path.resolve(import.meta.dirname, '../../../../src/omero_openhcs/templates/omero_openhcs');

vi.hoisted(() => {
  globalThis.matchMedia ??= (() => ({ addEventListener: () => undefined })) as unknown as typeof matchMedia;
});
vi.mock('uplot', () => ({
  default: class {
    static readonly paths = {};
    destroy(): void {}
  },
}));

/** The main block of a template with its includes; conditions hold, values are empty. */
function page(name: string): string {
  const text = readFileSync(path.join(TEMPLATES, name), 'utf-8');
  const main = /{% block main %}([\s\S]*?){% endblock %}/.exec(text)?.[1] ?? text;
  const whole = main.replaceAll(/{% include "omero_openhcs\/([^"]+)"[^%]*%}/g, (_, file: string) => page(file));
  return whole.replaceAll(/{%[^%]*%}|{{[^}]*}}/g, '');
}

function open(template: string, data: unknown): void {
  document.body.innerHTML = page(template);
  const script = document.createElement('script');
  script.id = 'openhcs-data';
  script.type = 'application/json';
  script.textContent = JSON.stringify(data);
  document.body.append(script);
}

let answers: Record<string, unknown>;

beforeEach(() => {
  vi.resetModules();
  answers = {};
  vi.stubGlobal('fetch', (address: string) => {
    const found = Object.entries(answers).find(([part]) => new URL(address, 'http://x').pathname.endsWith(part));
    const body = found
      ? found[1]
      : { error: { code: 'none', message: `Nothing at ${address}.`, field_errors: {}, request_id: '' } };
    return Promise.resolve(new Response(JSON.stringify(body), { status: found ? 200 : 404 }));
  });
});
afterEach(() => vi.unstubAllGlobals());

const WELL = { row: 0, column: 0, well_id: 1, state: 'done', attempt: 1, step: 1, step_count: 1, step_name: '', seconds: 1 };
const wells = ['A01', 'A02'].map((well, column) => ({
  ...WELL,
  well,
  column,
  worker: '',
  started_at: null,
  ended_at: null,
  failure: null,
  measurements: { count: column + 1 },
}));

describe('the page of results', () => {
  it('shows plate, tables and pictures from what the API says', async () => {
    answers = {
      '/table/': {
        level: 'well',
        columns: [
          { name: 'well', numeric: false },
          { name: 'count', numeric: true },
        ],
        rows: [
          ['A01', 1],
          ['A02', 2],
        ],
        offset: 0,
        total_rows: 2,
        matching_rows: 2,
        wells: { A01: 1, A02: 1 },
      },
      '/thumbnails/': { tile: 64, columns: 1, wells: [], unreadable: ['A01'], image: '' },
    };
    answers['/events/'] = { events: [], next: 3, status: 'completed' };
    const execution: ExecutionDetail = {
      execution_id: 'e1',
      plate_id: 7,
      plate_name: 'P',
      pipeline_id: 'nuclei-count',
      status: 'completed',
      rows: 1,
      columns: 2,
      wells,
      parameters: {},
      last_event: 3,
      ended_at: null,
      results: {},
      deletion: null,
    } as unknown as ExecutionDetail;
    answers['/executions/e1/'] = execution;
    const data: Partial<ResultsPageData> = {
      api: '/api/',
      viewer: '/viewer/',
      thumbnails: '/thumbnails/',
      pipelines_base: '/pipelines/',
      execution,
      measurements: [{ name: 'count', title: 'Count', level: 'well', unit: null, help: '' }],
      primary_measurement: 'count',
      images: { A01: [1], A02: [2] },
      is_owner: false,
      may_control: false,
      poll_interval_ms: 100_000,
    };
    open('results.html', data);
    await import('../results');
    await vi.waitFor(() => expect(document.querySelectorAll('#oh-table tbody tr')).toHaveLength(2));
    const shown = document.getElementById('oh-shown') as HTMLSelectElement;
    expect([...shown.options].map((option) => option.value)).toEqual(['', 'count', 'picture:images', 'picture:labels']);
    expect(document.querySelector('#oh-map [data-well="A02"]')?.getAttribute('aria-label')).toContain('Count: 2');
    shown.value = 'picture:images';
    shown.dispatchEvent(new Event('change'));
    const label = () => document.querySelector('#oh-map [data-well="A01"]')?.getAttribute('aria-label');
    await vi.waitFor(() => expect(label()).toContain('cannot be read'));
    shown.value = 'count';
    shown.dispatchEvent(new Event('change'));
    expect(label()).toContain('Count: 1');
    document.querySelector<HTMLButtonElement>('#oh-table tbody button')?.click();
    expect(document.getElementById('oh-well-title')?.textContent).toBe('Well A01');
    expect(document.querySelector<HTMLAnchorElement>('[data-oh-format="parquet"]')?.href).toContain('format=parquet');
  });
});

describe('the page of a comparison', () => {
  it('shows pairs of wells, what changed most and what was asked differently', async () => {
    answers = {
      '/executions/e1/table/wells/': { column: 'count', statistic: 'value', values: { A01: 1, A02: 5 } },
      '/executions/e2/table/wells/': { column: 'count', statistic: 'value', values: { A01: 1, A02: 9 } },
    };
    const side = (id: string, diameter: number, measurements: string[]) => ({
      execution_id: id,
      measurements,
      described: [],
      document: {
        schema_version: 1,
        id: 'p',
        name: 'P',
        version: 1,
        description: '',
        steps: [{ name: 'Find', function: 'f', parameters: { diameter } }],
        parameters: [],
        measurements: [],
      },
      wells: ['A01', 'A02'],
    });
    open('compare.html', {
      api: '/api/',
      results: '/openhcs/results/',
      rows: 1,
      columns: 2,
      before: side('e1', 18, ['count', 'area']),
      after: side('e2', 12, ['count']),
      primary: 'count',
    });
    await import('../compare');
    await vi.waitFor(() => expect(document.querySelectorAll('#oh-changed tbody tr')).toHaveLength(1));
    expect(document.getElementById('oh-changed')?.textContent).toContain('A02');
    expect(document.getElementById('oh-words')?.textContent).toContain('2 wells in both runs, 1 of them unchanged');
    expect(document.getElementById('oh-only')?.textContent).toBe('Measured in the first run only: Area.');
    await vi.waitFor(() => expect(document.getElementById('oh-differences')?.textContent).toContain('18'));
    document.querySelector<HTMLButtonElement>('#oh-changed tbody button')?.click();
    expect(document.querySelector<HTMLAnchorElement>('#oh-chosen a')?.href).toContain('/openhcs/results/e1/#A02');
  });
});
