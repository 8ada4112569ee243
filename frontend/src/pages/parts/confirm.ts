// SPDX-License-Identifier: AGPL-3.0-or-later
/** Questions that have to be answered before something is stopped or moved. */

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

/** A question that is answered with one line of text. */
export interface Question {
  /** Of the field; the title gets it with `-title`. */
  id: string;
  question: string;
  detail: string;
  label: string;
  yes: string;
  /** Attributes of the field. */
  field: Record<string, string | number | boolean>;
}

/** Ask for a line of text; resolves to it without spaces around it, or null when nothing is to happen. */
export function asked({ id, question, detail, label, yes, field }: Question): Promise<string | null> {
  const input = make('input', { class: 'oh-input', id, autocomplete: 'off', ...field });
  const no = make('button', { class: 'oh-button', type: 'button' }, 'Not now');
  const dialog = make(
    'dialog',
    { class: 'oh-dialog', 'aria-labelledby': `${id}-title` },
    make('h2', { id: `${id}-title` }, question),
    make('p', {}, detail),
    make(
      'form',
      { method: 'dialog' },
      make('p', { class: 'oh-dialog-line' }, make('label', { for: id }, label), input),
      make('p', { class: 'oh-actions' }, no, make('button', { class: 'oh-button oh-button-danger', value: 'yes' }, yes)),
    ),
  );
  no.addEventListener('click', () => dialog.close(''));
  (document.querySelector('.oh-page') ?? document.body).append(dialog);
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes' ? input.value.trim() : null);
      dialog.remove();
    });
  });
}
