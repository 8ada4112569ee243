// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * What was edited, and what can be undone: a plain reducer.
 *
 * Each step of a document has a key that stays with it when it is moved or changed, so that its card and the focus within stay
 * with it too. Edits with the same `group` that follow each other within a second (letters typed into one field, a slider on
 * its way) are undone together.
 */

import { type EditedDocument, type Step, same } from './document';

export interface Snapshot {
  document: EditedDocument;
  /** One per step. */
  keys: readonly number[];
}

export interface History {
  past: readonly Snapshot[];
  present: Snapshot;
  future: readonly Snapshot[];
  /** What is stored on the server; null for a pipeline that was never saved. */
  saved: EditedDocument | null;
  nextKey: number;
  group: string;
  groupedAt: number;
}

export type Action =
  | { type: 'edit'; document: EditedDocument; keys: readonly (number | null)[]; group?: string; at?: number }
  | { type: 'replace'; document: EditedDocument; group?: string; at?: number }
  | { type: 'undo' }
  | { type: 'redo' }
  | { type: 'saved'; document: EditedDocument }
  | { type: 'load'; document: EditedDocument };

const TOGETHER = 1000;
const LONGEST_PAST = 200;

export function newHistory(document: EditedDocument, saved: EditedDocument | null): History {
  const keys = document.steps.map((_, index) => index + 1);
  return { past: [], present: { document, keys }, future: [], saved, nextKey: keys.length + 1, group: '', groupedAt: 0 };
}

export function isDirty(history: History): boolean {
  return !same(history.present.document, history.saved);
}

export function reduce(history: History, action: Action): History {
  switch (action.type) {
    case 'edit':
      return edited(history, action.document, action.keys, action.group ?? '', action.at ?? 0);
    case 'replace': {
      const keys = matchedKeys(history.present, action.document);
      return edited(history, action.document, keys, action.group ?? '', action.at ?? 0);
    }
    case 'undo': {
      const before = history.past.at(-1);
      if (!before) return history;
      const future = [history.present, ...history.future];
      return { ...history, past: history.past.slice(0, -1), present: before, future, group: '' };
    }
    case 'redo': {
      const [after, ...future] = history.future;
      if (!after) return history;
      return { ...history, past: [...history.past, history.present], present: after, future, group: '' };
    }
    case 'saved':
      return adoptSaved(history, action.document);
    case 'load':
      return { ...newHistory(action.document, action.document), past: [], nextKey: action.document.steps.length + 1 };
  }
}

function edited(
  history: History,
  document: EditedDocument,
  given: readonly (number | null)[],
  group: string,
  at: number,
): History {
  if (same(document, history.present.document)) return history;
  let nextKey = history.nextKey;
  const keys = document.steps.map((_, index) => given[index] ?? nextKey++);
  const together = group !== '' && group === history.group && at - history.groupedAt < TOGETHER;
  const past = together ? history.past : [...history.past, history.present].slice(-LONGEST_PAST);
  return { ...history, past, present: { document, keys }, future: [], nextKey, group, groupedAt: at };
}

/**
 * The server's answer to a save: it chose id and version. They become those of every snapshot, so that undoing an edit does
 * not bring an old version number back. What was edited while the request was on its way stays, and is unsaved.
 */
function adoptSaved(history: History, document: EditedDocument): History {
  const { id, version } = document;
  const adopt = (snapshot: Snapshot): Snapshot => ({ ...snapshot, document: { ...snapshot.document, id, version } });
  return {
    ...history,
    past: history.past.map(adopt),
    present: adopt(history.present),
    future: history.future.map(adopt),
    saved: document,
    group: '',
  };
}

/** The keys for steps that came as text: those of the same step first, then of one with the same name, then of the same function. */
export function matchedKeys(before: Snapshot, document: EditedDocument): (number | null)[] {
  const free = new Map(before.keys.map((key, index) => [key, before.document.steps[index] as Step]));
  const keys: (number | null)[] = document.steps.map(() => null);
  const rules: ((step: Step, other: Step) => boolean)[] = [
    (step, other) => same(step, other),
    (step, other) => step.name === other.name && step.function === other.function,
    (step, other) => step.function === other.function,
  ];
  for (const fits of rules) {
    document.steps.forEach((step, index) => {
      if (keys[index] !== null) return;
      for (const [key, other] of free) {
        if (!fits(step, other)) continue;
        keys[index] = key;
        free.delete(key);
        break;
      }
    });
  }
  return keys;
}
