// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from 'vitest';

import type { DeletionPlan, RunEstimate, SavingOptions } from '../../shared/contracts';
import { linesOf, sentenceOf } from './delete-results';
import { expectedProcessed, expectedRois, fillTemplate, summaryOf, templateProblem } from './saving-options';

const VALUES = {
  plate: 'Plate 3',
  pipeline: 'Count nuclei',
  version: '2',
  date: '2026-11-25',
  user: 'Ada',
  execution: '3f2a91c0',
};
const OPTIONS: SavingOptions = {
  labels: true,
  processed: false,
  table: true,
  figures: false,
  rois: 'masks',
  rois_per_field: 100,
  rois_per_run: 1000,
  target: 'plate',
  dataset_id: null,
  name: '{plate}',
  tags: [],
};
const ESTIMATE: RunEstimate = {
  wells: 4,
  seconds: 1,
  seconds_per_well: 1,
  memory_mb: 1,
  output_mb: 1,
  processed_mb: 2400,
  basis: '',
  objects: 480,
  objects_per_field: 40,
  objects_basis: '40 in each of 12 fields, as in well A01',
};

describe('templates', () => {
  it('replace placeholders and nothing else', () => {
    expect(fillTemplate('{plate} – {pipeline} v{version} ({execution})', VALUES)).toBe('Plate 3 – Count nuclei v2 (3f2a91c0)');
    expect(fillTemplate('{plate}', { ...VALUES, plate: '{user}<b>' })).toBe('{user}<b>');
  });

  it('shorten the name of the plate first', () => {
    const name = fillTemplate('{plate} v{version}', { ...VALUES, plate: 'p'.repeat(300) });
    expect(name).toHaveLength(255);
    expect(name.endsWith('p v2')).toBe(true);
  });

  it.each(['', '{owner}', '{constructor}', '{plate.name}', '{{plate}}', '{plate', '<b>', 'x'.repeat(201)])(
    'refuse %s',
    (text) => {
      expect(templateProblem(text)).not.toBe('');
    },
  );
});

describe('processed images', () => {
  const wanted = { ...OPTIONS, processed: true };

  it('say how much they take', () => {
    expect(expectedProcessed(ESTIMATE, OPTIONS)).toBe('');
    expect(expectedProcessed(ESTIMATE, wanted)).toContain('up to 2.4 GB in OMERO');
    expect(expectedProcessed({ ...ESTIMATE, processed_mb: 0.2 }, wanted)).toContain('up to 1 MB');
  });

  it('say that a pipeline makes none', () => {
    expect(expectedProcessed({ ...ESTIMATE, processed_mb: null }, wanted)).toContain('no processed ones to save');
  });

  it('and figures are named in the summary', () => {
    expect(summaryOf({ ...wanted, figures: true, rois: 'none' })).toBe(
      'label images, processed images, table, figures · a result plate',
    );
  });
});

describe('the number of ROIs to expect', () => {
  it('is said, and said to be above a cap', () => {
    expect(expectedRois(ESTIMATE, OPTIONS)).toEqual({
      text: 'About 480 ROIs (40 in each of 12 fields, as in well A01).',
      above: false,
    });
    expect(expectedRois(ESTIMATE, { ...OPTIONS, rois_per_field: 39 })?.above).toBe(true);
    expect(expectedRois(ESTIMATE, { ...OPTIONS, rois_per_run: 479 })?.above).toBe(true);
  });

  it('is not made up', () => {
    expect(expectedRois(null, OPTIONS)?.text).toContain('Test one well');
    expect(expectedRois(ESTIMATE, { ...OPTIONS, rois: 'none' })).toBeNull();
  });

  it('is folded away in a few words', () => {
    expect(summaryOf(OPTIONS)).toBe('label images, table, ROIs (masks) · a result plate');
    expect(summaryOf({ ...OPTIONS, labels: false, table: false, rois: 'none' })).toBe('provenance only · a result plate');
  });
});

describe('a deletion', () => {
  const plan: DeletionPlan = {
    execution_id: 'x',
    items: [
      { kind: 'plate', count: 1, names: ['<b>P</b>'] },
      { kind: 'roi', count: 40, names: ['nuclei 1', 'nuclei 2', 'nuclei 3', 'nuclei 4'] },
    ],
    kept: [],
    total: 41,
    digest: '',
  };
  const deletion = {
    state: 'deleted',
    by_name: 'Ada',
    requested_at: '',
    ended_at: '2026-11-25T10:00:00Z',
    total: 1,
    done: 1,
    message: '',
  } as const;

  it('is listed by kind with the first names', () => {
    expect(linesOf(plan)).toEqual(['1 result plate: <b>P</b>', '40 ROIs: nuclei 1, nuclei 2, nuclei 3, …']);
  });

  it('says who and how far', () => {
    expect(sentenceOf(deletion)).toMatch(/^Results deleted from OMERO by Ada, /);
    expect(sentenceOf({ ...deletion, state: 'deleting', done: 3, total: 9 })).toContain('3 of 9 objects');
    expect(sentenceOf({ ...deletion, state: 'failed', message: 'Why.' })).toContain('Why.');
  });
});
