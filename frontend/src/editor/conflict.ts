// SPDX-License-Identifier: AGPL-3.0-or-later
/** Somebody saved another version meanwhile (in another window, perhaps): the edit stays, and its owner chooses. */

import type { FunctionInfo } from '../shared/contracts';
import { make } from '../shared/dom';
import { differencesView } from './differences-view';
import type { EditedDocument } from './document';

export type ConflictChoice = 'load' | 'copy' | 'above' | null;

/** Ask; `newest` is null when the pipeline has been deleted. Resolves with null when the user goes on editing. */
export function askAboutConflict(
  host: HTMLElement,
  edited: EditedDocument,
  newest: EditedDocument | null,
  functions: ReadonlyMap<string, FunctionInfo>,
): Promise<ConflictChoice> {
  const button = (value: string, text: string, kind = '') => make('button', { class: `oh-button ${kind}`, value }, text);
  const comparison = make('div', {
    class: 'oh-conflict-differences',
    hidden: true,
    tabindex: 0,
    role: 'region',
    'aria-label': 'Differences',
  });
  const see = make('button', { type: 'button', class: 'oh-button', 'aria-expanded': 'false' }, 'See the differences');
  see.addEventListener('click', () => {
    comparison.hidden = !comparison.hidden;
    see.setAttribute('aria-expanded', String(!comparison.hidden));
    if (newest && comparison.childElementCount === 0) {
      comparison.append(
        make('p', { class: 'oh-hint' }, `From version ${newest.version} to yours:`),
        differencesView(newest, edited, functions),
      );
    }
  });
  const title = newest ? `Version ${newest.version} was saved meanwhile` : 'The pipeline was deleted meanwhile';
  const detail = newest
    ? `Your changes are based on an older version and were not saved. They are still here. Saving them as version ${newest.version + 1} would leave out what version ${newest.version} changed.`
    : 'Your changes were not saved. They are still here.';
  const dialog = make(
    'dialog',
    { class: 'oh-dialog oh-dialog-conflict', 'aria-labelledby': 'oh-conflict-title' },
    make('h2', { id: 'oh-conflict-title' }, title),
    make('p', {}, detail),
    comparison,
    make(
      'form',
      { method: 'dialog', class: 'oh-actions' },
      newest ? see : null,
      newest ? button('load', 'Load the newest, drop mine') : null,
      button('copy', 'Save mine as a copy', newest ? '' : 'oh-button-primary'),
      newest ? button('above', `Save mine as version ${newest.version + 1}`) : null,
      button('', 'Go on editing', newest ? 'oh-button-primary' : ''),
    ),
  );
  host.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve((dialog.returnValue || null) as ConflictChoice);
    });
  });
}
