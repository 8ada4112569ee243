// SPDX-License-Identifier: AGPL-3.0-or-later
/** Two versions of a pipeline side by side in words: what was added, removed, moved and changed; and their texts. */

import { type Content, make } from '../shared/dom';
import type { FunctionInfo } from '../shared/contracts';
import { type Change, type Differences, type StepDifference, describe, differencesOf } from './differences';
import { type EditedDocument, words, writeText } from './document';

/** Everything that differs, as an element; the texts are compared when they are asked for. */
export function differencesView(
  before: EditedDocument,
  after: EditedDocument,
  functions: ReadonlyMap<string, FunctionInfo>,
): HTMLElement {
  const found = differencesOf(before, after);
  const host = make('div', { class: 'oh-differences' });
  if (found.none) {
    host.append(make('p', { class: 'oh-empty' }, 'There is no difference between these two.'));
    return host;
  }
  host.append(
    ...section('The pipeline', changeList(found.about, words)),
    ...section('Steps', stepList(found, functions)),
    ...section(
      'On the run page',
      changeList(found.exposed, (what) => what),
    ),
    ...section('Measurements', measurementList(found)),
    textComparison(before, after),
  );
  return host;
}

function section(title: string, content: HTMLElement | null): HTMLElement[] {
  return content ? [make('h4', {}, title), content] : [];
}

function changeList(changes: readonly Change[], name: (what: string) => string): HTMLElement | null {
  if (changes.length === 0) return null;
  return make(
    'ul',
    { class: 'oh-changes' },
    ...changes.map((change) => make('li', {}, ...changeText(change, name(change.what)))),
  );
}

/** What changed, struck through and new; one of the two is missing for what was added or removed. */
function changeText({ before, after }: Change, name: string, unit = ''): Content[] {
  const shown = (value: unknown) => describe(value) + (unit && value !== null && value !== undefined ? ` ${unit}` : '');
  const missing = (value: unknown) => value === undefined || value === null;
  const parts: Content[] = [make('b', {}, name), ' '];
  const textual = typeof before === 'string' || typeof after === 'string';
  if (before === undefined || (before === null && textual)) return [...parts, make('ins', {}, shown(after))];
  if (after === undefined || (after === null && textual))
    return [...parts, make('del', {}, shown(before)), missing(after) ? ' removed' : null];
  return [
    ...parts,
    make('del', {}, shown(before)),
    make('span', { 'aria-hidden': 'true' }, ' → '),
    make('span', { class: 'oh-visually-hidden' }, ' became '),
    make('ins', {}, shown(after)),
  ];
}

const KINDS: Record<StepDifference['kind'], string> = {
  added: 'added',
  removed: 'removed',
  changed: 'changed',
  moved: 'moved',
  same: 'as before',
};

function stepList({ steps }: Differences, functions: ReadonlyMap<string, FunctionInfo>): HTMLElement | null {
  if (steps.every((step) => step.kind === 'same')) return null;
  return make('ol', { class: 'oh-step-changes' }, ...steps.map((step) => stepLine(step, functions)));
}

function stepLine(step: StepDifference, functions: ReadonlyMap<string, FunctionInfo>): HTMLElement {
  const info = functions.get(step.function);
  const place = step.after ?? step.before ?? 0;
  const known = (name: string) => info?.parameters.find((parameter) => parameter.name === name);
  const lines = [
    ...step.settings.map((change) => make('li', {}, ...changeText(change, words(change.what)))),
    ...step.parameters.map((change) => {
      const parameter = known(change.what);
      return make('li', {}, ...changeText(change, parameter?.title || words(change.what), parameter?.unit ?? ''));
    }),
  ];
  const moved = step.moved && step.before !== null ? `, was step ${step.before + 1}` : '';
  return make(
    'li',
    { class: `oh-step-change oh-step-change-${step.kind}` },
    make(
      'p',
      {},
      make('span', { class: 'oh-step-place', 'aria-hidden': 'true' }, String(place + 1)),
      make('b', {}, step.name),
      ' ',
      make('span', { class: `oh-tag oh-tag-${step.kind}` }, `${KINDS[step.kind]}${moved}`),
      step.kind === 'added' || step.kind === 'removed' ? make('span', { class: 'oh-sub' }, info?.title ?? step.function) : null,
    ),
    lines.length > 0 ? make('ul', { class: 'oh-changes' }, ...lines) : null,
  );
}

function measurementList({ measurements }: Differences): HTMLElement | null {
  const lines = (['added', 'removed', 'changed'] as const).flatMap((kind) =>
    measurements[kind].map((name) =>
      make('li', {}, make('b', {}, name), ' ', make('span', { class: `oh-tag oh-tag-${kind}` }, kind)),
    ),
  );
  return lines.length > 0 ? make('ul', { class: 'oh-changes' }, ...lines) : null;
}

function textComparison(before: EditedDocument, after: EditedDocument): HTMLElement {
  const place = make('div', { class: 'oh-text-comparison' });
  const details = make('details', {}, make('summary', {}, 'The same as JSON'), place);
  details.addEventListener('toggle', () => {
    if (!details.open || place.childElementCount > 0) return;
    // CodeMirror is large, and few look at the text.
    void import('./text-comparison').then(({ showTexts }) => showTexts(place, writeText(before), writeText(after)));
  });
  return details;
}
