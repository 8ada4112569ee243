// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Choosing a function from the catalogue: a search field over a grouped list, and what the marked function does.
 *
 * The field keeps the focus and follows the ARIA combobox pattern: the arrow keys mark, Enter adds.
 */

import type { FunctionInfo } from '../shared/contracts';
import { make } from '../shared/dom';
import { titleOf, words } from './document';
import { icon } from './icons';
import { searchCatalogue } from './search';

export interface FunctionDialog {
  /** Resolves with the chosen function, or null when the dialog was closed without one. */
  choose(): Promise<FunctionInfo | null>;
  setFunctions(functions: readonly FunctionInfo[], trouble: string): void;
}

export function createFunctionDialog(host: HTMLElement): FunctionDialog {
  let functions: readonly FunctionInfo[] = [];
  let trouble = 'Reading the catalogue…';
  let found: { info: FunctionInfo; option: HTMLElement }[] = [];
  let marked = -1;
  let chosen: FunctionInfo | null = null;

  const field = make('input', {
    type: 'text',
    id: 'oh-find',
    class: 'oh-input',
    role: 'combobox',
    'aria-controls': 'oh-found',
    'aria-expanded': 'true',
    'aria-autocomplete': 'list',
    'aria-describedby': 'oh-find-hint',
    placeholder: 'Smooth, nuclei, intensity, scikit-image…',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const all = make('input', { type: 'checkbox', id: 'oh-find-all' });
  const list = make('div', { id: 'oh-found', class: 'oh-found', role: 'listbox', 'aria-label': 'Functions', tabindex: -1 });
  const count = make('p', { class: 'oh-hint', role: 'status', id: 'oh-find-count' });
  const detail = make('div', {
    class: 'oh-found-detail',
    tabindex: 0,
    role: 'region',
    'aria-label': 'About the marked function',
  });
  const add = make('button', { type: 'button', class: 'oh-button oh-button-primary' }, 'Add step');
  const close = make('button', { type: 'button', class: 'oh-button' }, 'Cancel');
  const dialog = make(
    'dialog',
    { class: 'oh-dialog oh-dialog-wide', 'aria-labelledby': 'oh-find-title' },
    make('h2', { id: 'oh-find-title' }, 'Add a step'),
    make(
      'div',
      { class: 'oh-find-line' },
      make('label', { class: 'oh-visually-hidden', for: field.id }, 'Search the catalogue'),
      make('span', { class: 'oh-find-field' }, icon('search'), field),
      make('label', { class: 'oh-check', for: all.id }, all, 'Also those not offered'),
    ),
    make('p', { class: 'oh-visually-hidden', id: 'oh-find-hint' }, 'Arrow keys mark a function, Enter adds it.'),
    make('div', { class: 'oh-find-body' }, list, detail),
    make('div', { class: 'oh-find-foot' }, count, close, add),
  );
  host.append(dialog);

  function show(): void {
    const categories = searchCatalogue(functions, field.value, all.checked);
    found = [];
    const groups = categories.map((category, index) => {
      const options = category.functions.map((info) => {
        const option = make(
          'div',
          {
            role: 'option',
            id: `oh-found-${found.length}`,
            class: 'oh-option',
            'aria-selected': 'false',
            'aria-disabled': info.offered ? null : 'true',
          },
          make('span', { class: 'oh-option-title' }, info.title),
          make('span', { class: 'oh-option-library' }, info.offered ? info.library : `${info.library} · not offered`),
        );
        found.push({ info, option });
        return option;
      });
      const title = make(
        'div',
        { class: 'oh-option-group', id: `oh-found-group-${index}`, role: 'presentation' },
        category.name,
      );
      return make('div', { role: 'group', 'aria-labelledby': title.id }, title, ...options);
    });
    list.replaceChildren(...groups);
    const unseen = functions.filter((info) => !info.offered).length;
    if (trouble) count.textContent = trouble;
    else if (found.length === 0) count.textContent = 'Nothing fits. Try fewer or other words.';
    else count.textContent = `${found.length} of ${functions.length - (all.checked ? 0 : unseen)} functions`;
    list.scrollTop = 0;
    mark(found.length > 0 ? 0 : -1);
  }

  function mark(index: number): void {
    found[marked]?.option.setAttribute('aria-selected', 'false');
    marked = index;
    const entry = found[marked];
    if (!entry) {
      field.removeAttribute('aria-activedescendant');
      detail.replaceChildren();
      add.disabled = true;
      return;
    }
    entry.option.setAttribute('aria-selected', 'true');
    entry.option.scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', entry.option.id);
    detail.replaceChildren(...aboutFunction(entry.info));
    detail.scrollTop = 0;
    add.disabled = !entry.info.offered;
  }

  function take(): void {
    const info = found[marked]?.info;
    if (!info?.offered) return;
    chosen = info;
    dialog.close();
  }

  field.addEventListener('input', show);
  all.addEventListener('change', show);
  field.addEventListener('keydown', (event) => {
    const last = found.length - 1;
    const places: Record<string, number> = {
      ArrowDown: marked >= last ? 0 : marked + 1,
      ArrowUp: marked <= 0 ? last : marked - 1,
      PageDown: Math.min(marked + 8, last),
      PageUp: Math.max(marked - 8, 0),
    };
    if (event.key in places && last >= 0) {
      event.preventDefault();
      mark(places[event.key] ?? 0);
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      take();
    }
  });
  const indexOf = (event: Event) => found.findIndex(({ option }) => option.contains(event.target as Node));
  // The field keeps the focus while the list is pointed at.
  list.addEventListener('mousedown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const index = indexOf(event);
    if (index >= 0) mark(index);
  });
  list.addEventListener('dblclick', (event) => indexOf(event) >= 0 && take());
  add.addEventListener('click', take);
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());

  return {
    setFunctions(given, problem) {
      functions = given;
      trouble = problem;
      if (dialog.open) show();
    },
    choose() {
      chosen = null;
      field.value = '';
      dialog.showModal();
      show();
      field.focus();
      return new Promise((resolve) => dialog.addEventListener('close', () => resolve(chosen), { once: true }));
    },
  };
}

function aboutFunction(info: FunctionInfo): HTMLElement[] {
  const list = (names: readonly string[]) => names.map((name) => words(name).toLowerCase()).join(', ') || 'nothing';
  const parameters = info.parameters.map((parameter) =>
    make('li', {}, make('b', {}, titleOf(parameter)), parameter.help ? ` – ${parameter.help}` : ''),
  );
  return [
    make('h3', {}, info.title),
    make('p', { class: 'oh-sub' }, `${info.library} · ${words(info.category)}`),
    info.offered
      ? make('p', {}, info.help)
      : make('p', { class: 'oh-notice oh-notice-error' }, `Not offered: ${info.reason || 'no reason is known.'}`),
    make(
      'dl',
      { class: 'oh-values' },
      make('div', {}, make('dt', {}, 'Takes'), make('dd', {}, list(info.inputs))),
      make('div', {}, make('dt', {}, 'Gives'), make('dd', {}, list(info.outputs))),
    ),
    ...(parameters.length > 0 ? [make('h4', {}, 'Values'), make('ul', { class: 'oh-found-values' }, ...parameters)] : []),
    make('p', { class: 'oh-hint oh-break' }, make('code', {}, info.id)),
  ];
}
