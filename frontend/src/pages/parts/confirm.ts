// SPDX-License-Identifier: AGPL-3.0-or-later
/** A question that has to be answered before something is stopped. */

import { make } from '../../shared/dom';

/** Ask; resolves true when `yes` was pressed. Escape and `no` mean no. */
export function confirmed(question: string, detail: string, yes: string, no = 'Not now'): Promise<boolean> {
  const dialog = make(
    'dialog',
    { class: 'oh-dialog', 'aria-labelledby': 'oh-dialog-title' },
    make('h2', { id: 'oh-dialog-title' }, question),
    make('p', {}, detail),
    make(
      'form',
      { method: 'dialog', class: 'oh-actions' },
      make('button', { class: 'oh-button', value: '', autofocus: true }, no),
      make('button', { class: 'oh-button oh-button-danger', value: 'yes' }, yes),
    ),
  );
  (document.querySelector('.oh-page') ?? document.body).append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}
