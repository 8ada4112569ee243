// SPDX-License-Identifier: AGPL-3.0-or-later
/** What is not saved yet, kept in this tab: it survives an ended session, a login and a reload, and goes with the tab. */

import type { EditedDocument } from './document';
import { readText } from './json-text';

export interface Draft {
  document: EditedDocument;
  /** The version that was edited; null for a new pipeline. */
  basedOn: number | null;
  /** ISO 8601. */
  at: string;
}

export interface DraftBox {
  read(): Draft | null;
  write(draft: Draft): void;
  clear(): void;
}

/** Whose draft a script is that was read on the list of pipelines; `pages/editor.py` names it the same. */
export const IMPORTED = 'new/?imported';

/** `name` says whose draft of which pipeline it is. */
export function draftBox(name: string, storage: Storage = sessionStorage): DraftBox {
  const key = `openhcs-draft:${name}`;
  return {
    read() {
      const stored = storage.getItem(key);
      if (stored === null) return null;
      try {
        const content = JSON.parse(stored) as Draft;
        const reading = readText(JSON.stringify(content.document));
        return 'document' in reading ? { ...content, document: reading.document } : null;
      } catch {
        return null;
      }
    },
    write(draft) {
      try {
        storage.setItem(key, JSON.stringify(draft));
      } catch {
        // The storage is full or forbidden: the page still asks before it is left.
      }
    },
    clear: () => storage.removeItem(key),
  };
}
