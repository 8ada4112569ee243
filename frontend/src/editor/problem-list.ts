// SPDX-License-Identifier: AGPL-3.0-or-later
/** Everything that is wrong in one list, also what belongs to no field; each line leads to its place. */

import type { FunctionInfo } from '../shared/contracts';
import { byId, make } from '../shared/dom';
import { titleOf, words } from './document';
import type { Problems } from './problems';
import type { Store } from './store';

export interface ProblemList {
  update(problems: Problems): void;
  /** Put the focus on the first control that shows a problem, or on the text where no control does. */
  focusFirst(): void;
}

export interface ProblemListOptions {
  store: Store;
  functions(): ReadonlyMap<string, FunctionInfo>;
  /** Make visible what holds a control: unfold its card, choose its tab. */
  reveal(control: HTMLElement): void;
  /** Go to the text, which has a place for everything. */
  goToText(): void;
}

export function createProblemList({ store, functions, reveal, goToText }: ProblemListOptions): ProblemList {
  const box = byId('oh-problems');
  const list = byId('oh-problem-lines');

  function focusOn(control: HTMLElement): void {
    reveal(control);
    control.focus();
    control.scrollIntoView({ block: 'center' });
  }

  function focusFirst(): void {
    const control = document.querySelector<HTMLElement>('#oh-editor [aria-invalid="true"]');
    if (control) focusOn(control);
    else goToText();
  }

  function goTo(path: string): void {
    const place = elementOf(path);
    const invalid = '[aria-invalid="true"]';
    const control = place?.matches(invalid) ? place : place?.querySelector<HTMLElement>(invalid);
    if (control) focusOn(control);
    else goToText();
  }

  /** The part of the page that shows `path`: the row of a value, the card of a step, or a field of the document itself. */
  function elementOf(path: string): HTMLElement | null {
    const [part, number, kind, name] = path.split('.');
    if (part === 'parameters') {
      const shown = store.document.parameters[Number(number)];
      return shown ? rowOf(shown.step, shown.parameter) : null;
    }
    if (part === 'steps') return kind === 'parameters' ? rowOf(Number(number), name ?? '') : cardOf(Number(number));
    const fields: Record<string, string> = {
      name: 'oh-name',
      id: 'oh-name',
      description: 'oh-description',
      primary_measurement: 'oh-primary',
      minimum_channels: 'oh-minimum-channels',
      measurements: 'oh-panel-measurements',
    };
    return document.getElementById(fields[part ?? ''] ?? '');
  }

  function cardOf(step: number): HTMLElement | null {
    const key = store.keys[step];
    return key === undefined ? null : document.querySelector<HTMLElement>(`.oh-step[data-key="${key}"]`);
  }

  function rowOf(step: number, parameter: string): HTMLElement | null {
    return cardOf(step)?.querySelector<HTMLElement>(`[data-parameter="${CSS.escape(parameter)}"]`) ?? null;
  }

  /** A path in words: `steps.1.parameters.sigma` is "Step 2, Sigma". */
  function inWords(path: string): string {
    const [part, number, , name] = path.split('.');
    if (part === 'steps' && number !== undefined) {
      const info = functions().get(store.document.steps[Number(number)]?.function ?? '');
      const parameter = info?.parameters.find((entry) => entry.name === name);
      const value = name === undefined ? '' : `, ${parameter ? titleOf(parameter) : words(name)}`;
      return `Step ${Number(number) + 1}${value}:`;
    }
    const shown = part === 'parameters' ? store.document.parameters[Number(number)] : undefined;
    return shown ? `Run page, ${shown.title}:` : `${words(part ?? '') || 'Pipeline'}:`;
  }

  return {
    update(problems) {
      const lines = Object.entries(problems).map(([path, text]) => {
        const link = make('button', { type: 'button', class: 'oh-link' }, inWords(path));
        link.addEventListener('click', () => goTo(path));
        return make('li', {}, link, ` ${text}`);
      });
      box.hidden = lines.length === 0;
      list.replaceChildren(...lines);
    },
    focusFirst,
  };
}
