// SPDX-License-Identifier: AGPL-3.0-or-later
/** The run passport and the methods text of an execution, once it has ended. */

import type { Api } from '../../shared/api';
import { type ExecutionStatusName, isFinal, type Methods } from '../../shared/contracts';
import { byId } from '../../shared/dom';

export interface PassportPart {
  /** Offer it when `status` is final. */
  show(status: ExecutionStatusName): void;
}

/** `path` is that of the execution below the API. The text is asked for when it is opened first. */
export function createPassport(api: Api, path: string): PassportPart {
  const box = byId<HTMLDetailsElement>('oh-methods');
  const text = byId('oh-methods-text');
  const copy = byId<HTMLButtonElement>('oh-methods-copy');
  const note = byId('oh-methods-note');

  async function load(): Promise<void> {
    if (!box.open || !copy.disabled) return;
    try {
      text.textContent = (await api.get<Methods>(`${path}methods/`)).text;
      copy.disabled = false;
      note.textContent = '';
    } catch (error) {
      note.textContent = (error as Error).message;
    }
  }

  async function copyText(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text.textContent ?? '');
      note.textContent = 'Copied.';
    } catch {
      // Without HTTPS, or without permission: select it, so that the keyboard can copy it.
      getSelection()?.selectAllChildren(text);
      note.textContent = 'Selected: copy it with Ctrl+C.';
    }
  }

  box.addEventListener('toggle', () => void load());
  copy.addEventListener('click', () => void copyText());
  return {
    show(status) {
      byId('oh-passport').hidden = !isFinal(status);
    },
  };
}
