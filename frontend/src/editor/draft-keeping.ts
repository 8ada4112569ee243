// SPDX-License-Identifier: AGPL-3.0-or-later
/** Keeps the draft while one edits, and offers what an earlier visit to the page left behind. */

import { byId } from '../shared/dom';
import { same } from './document';
import type { Draft, DraftBox } from './draft';
import type { Store } from './store';

export interface DraftKeeper {
  /** The document was edited: keep it soon. */
  touch(): void;
  /** Keep it now, because the page is about to be left. */
  write(): void;
  /** There is nothing to keep any more. */
  clear(): void;
  offer(): void;
  /** Bring back at once what another page kept for this one. */
  take(): void;
}

export interface DraftKeeperOptions {
  drafts: DraftBox;
  store: Store;
  unsaved(): boolean;
  basedOn(): number;
  onRestore(draft: Draft): void;
}

const WAIT = 300;

export function keepDrafts({ drafts, store, unsaved, basedOn, onRestore }: DraftKeeperOptions): DraftKeeper {
  let timer = 0;

  function write(): void {
    drafts.write({ document: store.document, basedOn: basedOn() || null, at: new Date().toISOString() });
  }

  function clear(): void {
    clearTimeout(timer);
    drafts.clear();
  }

  return {
    touch() {
      clearTimeout(timer);
      timer = window.setTimeout(() => (unsaved() ? write() : drafts.clear()), WAIT);
    },
    write,
    clear,
    take() {
      const draft = drafts.read();
      if (draft) onRestore(draft);
    },
    offer() {
      const draft = drafts.read();
      if (!draft) return;
      if (same(draft.document, store.document)) {
        drafts.clear();
        return;
      }
      const when = new Date(draft.at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
      const box = byId('oh-draft');
      byId('oh-draft-words').textContent = `Changes that you made here at ${when} were not saved.`;
      box.hidden = false;
      const answered = () => {
        box.hidden = true;
        byId('oh-name').focus();
      };
      byId('oh-draft-restore').addEventListener('click', () => {
        onRestore(draft);
        answered();
      });
      byId('oh-draft-drop').addEventListener('click', () => {
        clear();
        answered();
      });
    },
  };
}
