// SPDX-License-Identifier: AGPL-3.0-or-later
/** What of a run is saved in OMERO: the folded part of the page for running, with the name as it will be and the ROIs to expect. */

import type { RunEstimate, SavingOptions } from '../../shared/contracts';
import { byId, make, showNotice } from '../../shared/dom';

export const PLACEHOLDERS = ['plate', 'pipeline', 'version', 'date', 'user', 'execution'] as const;
export type TemplateValues = Record<(typeof PLACEHOLDERS)[number], string>;

const LONGEST_TEMPLATE = 200;
const LONGEST_NAME = 255;

/** What is wrong with a template, as a sentence; empty when nothing is. The service checks the same. */
export function templateProblem(template: string): string {
  if (!template.trim()) return 'This must not be empty.';
  if (template.length > LONGEST_TEMPLATE) return `At most ${LONGEST_TEMPLATE} characters are allowed.`;
  for (const [, name = ''] of template.matchAll(/\{([^{}]*)\}/g)) {
    if (!(PLACEHOLDERS as readonly string[]).includes(name)) {
      return `There is no {${name}}; there are ${PLACEHOLDERS.map((each) => `{${each}}`).join(', ')}.`;
    }
  }
  if (/[{}]/.test(template.replace(/\{[^{}]*\}/g, '')))
    return 'Braces stand around the name of a placeholder only, such as {plate}.';
  return /[<>]/.test(template) ? 'The signs < and > are not allowed.' : '';
}

/** The template with its placeholders replaced; a long plate name gives way. */
export function fillTemplate(template: string, values: TemplateValues): string {
  const filled = (plate: string): string =>
    template.replace(/\{([^{}]*)\}/g, (_whole, name: string) => ({ ...values, plate })[name as keyof TemplateValues] ?? '');
  const excess = filled(values.plate).length - LONGEST_NAME;
  const times = template.split('{plate}').length - 1;
  const plate =
    excess > 0 && times > 0
      ? values.plate.slice(0, Math.max(0, values.plate.length - Math.ceil(excess / times)))
      : values.plate;
  return filled(plate).slice(0, LONGEST_NAME).trim();
}

/** How many ROIs are to be expected, and whether that is above a cap; null when nobody can know. */
export function expectedRois(estimate: RunEstimate | null, options: SavingOptions): { text: string; above: boolean } | null {
  if (options.rois === 'none') return null;
  if (!estimate || estimate.objects === null || estimate.objects_per_field === null) {
    return { text: 'Test one well to see how many ROIs to expect. Drawing stops at the caps.', above: false };
  }
  const text = `About ${estimate.objects.toLocaleString('en')} ROIs (${estimate.objects_basis}).`;
  if (estimate.objects_per_field > options.rois_per_field) {
    return {
      text: `${text} That is more on an image than its cap of ${options.rois_per_field.toLocaleString('en')}.`,
      above: true,
    };
  }
  if (estimate.objects > options.rois_per_run) {
    return {
      text: `${text} That is more than the cap of ${options.rois_per_run.toLocaleString('en')} for the run.`,
      above: true,
    };
  }
  return { text, above: false };
}

/** How much processed images take, or that there are none; empty when they are not wanted. */
export function expectedProcessed(estimate: RunEstimate | null, options: SavingOptions): string {
  if (!options.processed || !estimate) return '';
  if (estimate.processed_mb === null) {
    return 'At its end this pipeline has the images as they are in OMERO, so there are no processed ones to save.';
  }
  const { processed_mb: mb } = estimate;
  const size = mb >= 1000 ? `${(mb / 1000).toFixed(1)} GB` : `${Math.ceil(mb)} MB`;
  return `Processed images take up to ${size} in OMERO, and on the way there on the disk of the service.`;
}

export interface SavingForm {
  /** What is chosen now. */
  options(): SavingOptions;
  /** Something that the name or the number of ROIs depends on has changed. */
  show(values: TemplateValues, estimate: RunEstimate | null): void;
  /** Show errors beside their fields (`rois_per_run`); returns those that have none. */
  showErrors(errors: Readonly<Record<string, string>>): Record<string, string>;
}

/** Wire the fields that the template has. */
export function createSavingForm(): SavingForm {
  const root = byId<HTMLDetailsElement>('oh-saving');
  const field = (name: string): HTMLInputElement => byId<HTMLInputElement>(`oh-saving-${name}`);
  const choice = (name: string): HTMLSelectElement => byId<HTMLSelectElement>(`oh-saving-${name}`);
  const preview = byId('oh-saving-preview');
  const problem = byId('oh-saving-problem');
  const rois = byId('oh-saving-rois-expected');
  let values: TemplateValues = { plate: '', pipeline: '', version: '', date: '', user: '', execution: '' };
  let estimate: RunEstimate | null = null;

  const tags = (): string[] =>
    field('tags')
      .value.split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== '');

  function options(): SavingOptions {
    const dataset = choice('target').value.startsWith('dataset:') ? Number(choice('target').value.slice(8)) : null;
    return {
      labels: field('labels').checked,
      processed: field('processed').checked,
      table: field('table').checked,
      figures: field('figures').checked,
      rois: choice('rois').value as SavingOptions['rois'],
      rois_per_field: field('rois-per-field').valueAsNumber,
      rois_per_run: field('rois-per-run').valueAsNumber,
      target: dataset !== null ? 'dataset' : (choice('target').value as SavingOptions['target']),
      dataset_id: dataset,
      name: field('name').value,
      tags: tags(),
    };
  }

  function render(): void {
    const chosen = options();
    byId('oh-saving-caps').hidden = chosen.rois === 'none';
    const wrong = [chosen.name, ...chosen.tags].map(templateProblem).find((each) => each !== '') ?? '';
    showNotice(problem, wrong);
    // Text, not markup: a plate may be called anything.
    preview.replaceChildren(
      ...(wrong || chosen.target === 'dataset' ? [] : ['Name: ', make('strong', {}, fillTemplate(chosen.name, values))]),
      ...(wrong || chosen.tags.length === 0
        ? []
        : [` · tags: ${chosen.tags.map((tag) => fillTemplate(tag, values)).join(', ')}`]),
    );
    const expected = expectedRois(estimate, chosen);
    rois.textContent = expected?.text ?? '';
    rois.classList.toggle('oh-field-error', expected?.above ?? false);
    byId('oh-saving-processed-expected').textContent = expectedProcessed(estimate, chosen);
    byId('oh-saving-summary').textContent = summaryOf(chosen);
  }

  root.addEventListener('input', render);
  return {
    options,
    show(newValues, newEstimate) {
      values = newValues;
      estimate = newEstimate;
      render();
    },
    showErrors(errors) {
      const texts = Object.values(errors);
      if (texts.length > 0) {
        root.open = true;
        showNotice(problem, [...new Set(texts)].join(' '));
      }
      return {};
    },
  };
}

/** What is saved, in a few words, for the folded part. */
export function summaryOf(options: SavingOptions): string {
  const kinds = [
    options.labels && 'label images',
    options.processed && 'processed images',
    options.table && 'table',
    options.figures && 'figures',
    options.rois !== 'none' && `ROIs (${options.rois})`,
  ];
  const where = { plate: 'a result plate', new_dataset: 'a new dataset', dataset: 'a dataset of yours' }[options.target];
  return `${kinds.filter(Boolean).join(', ') || 'provenance only'} · ${where}`;
}
