// SPDX-License-Identifier: AGPL-3.0-or-later
/** The one place that holds the document being edited; everything on the page listens to it and edits through it. */

import type { EditedDocument } from './document';
import { type Action, type History, isDirty, newHistory, reduce } from './history';

/** Who made a change: the JSON view does not write over the text that it has just read. */
export type Origin = 'forms' | 'text' | 'history' | 'server';

export interface Store {
  readonly history: History;
  readonly document: EditedDocument;
  readonly keys: readonly number[];
  readonly dirty: boolean;
  /** Edit what is not the order of the steps. Edits of one `group` in quick succession are undone together. */
  edit(change: (document: EditedDocument) => EditedDocument, group?: string): void;
  /** Edit the order of the steps; `keys` says which step is which now, null for a new one. */
  arrange(document: EditedDocument, keys: readonly (number | null)[]): void;
  /** Take a document that was written as text. */
  read(document: EditedDocument): void;
  undo(): void;
  redo(): void;
  saved(document: EditedDocument): void;
  load(document: EditedDocument): void;
  /** Put another document in place of the edited one, as an edit that can be undone. */
  restore(document: EditedDocument): void;
  subscribe(listener: (origin: Origin) => void): void;
}

export function createStore(document: EditedDocument, saved: EditedDocument | null, now = () => Date.now()): Store {
  let history = newHistory(document, saved);
  const listeners: ((origin: Origin) => void)[] = [];

  function dispatch(action: Action, origin: Origin): void {
    const before = history;
    history = reduce(history, action);
    if (history !== before) for (const listener of listeners) listener(origin);
  }

  return {
    get history() {
      return history;
    },
    get document() {
      return history.present.document;
    },
    get keys() {
      return history.present.keys;
    },
    get dirty() {
      return isDirty(history);
    },
    edit(change, group = '') {
      const { document: present, keys } = history.present;
      dispatch({ type: 'edit', document: change(present), keys, group, at: now() }, 'forms');
    },
    arrange: (arranged, keys) => dispatch({ type: 'edit', document: arranged, keys }, 'forms'),
    read: (read) => dispatch({ type: 'replace', document: read, group: 'text', at: now() }, 'text'),
    undo: () => dispatch({ type: 'undo' }, 'history'),
    redo: () => dispatch({ type: 'redo' }, 'history'),
    saved: (answer) => dispatch({ type: 'saved', document: answer }, 'server'),
    load: (loaded) => dispatch({ type: 'load', document: loaded }, 'server'),
    restore: (restored) => dispatch({ type: 'replace', document: restored }, 'forms'),
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
