// SPDX-License-Identifier: AGPL-3.0-or-later
/** What people will be able to set when they run the pipeline: the exposed parameters in the order of that page. */

import { make } from '../shared/dom';
import { describe } from './differences';
import { rangeText } from './document';
import { hide } from './edits';
import { iconButton } from './icons';
import { type Problems, problemAt } from './problems';
import type { Store } from './store';

export interface RunPageList {
  update(problems: Problems): void;
}

export function createRunPageList(host: HTMLElement, store: Store): RunPageList {
  let shown = '';
  return {
    update(problems) {
      const { document } = store;
      const lines = document.parameters.map((entry, index) => ({
        entry,
        step: document.steps[entry.step]?.name ?? `step ${entry.step + 1}, which does not exist`,
        problem: problemAt(problems, `parameters.${index}`),
      }));
      const signature = JSON.stringify(lines);
      if (signature === shown) return;
      shown = signature;
      if (lines.length === 0) {
        host.replaceChildren(
          make(
            'p',
            { class: 'oh-hint' },
            'Nobody can change a value of this pipeline when running it. Tick “On run page” beside a value of a step to show it there.',
          ),
        );
        return;
      }
      const rows = lines.map(({ entry, step, problem }) =>
        make(
          'li',
          {},
          make(
            'div',
            {},
            make('b', {}, entry.title || entry.name),
            make(
              'span',
              { class: 'oh-sub' },
              `${step} · ${describe(entry.default)}${entry.unit ? ` ${entry.unit}` : ''}${rangeText(entry)}`,
            ),
            problem ? make('p', { class: 'oh-field-error' }, problem) : null,
          ),
          iconButton('remove', `Take ${entry.title} off the run page`, () =>
            store.edit((present) => hide(present, entry.step, entry.parameter)),
          ),
        ),
      );
      host.replaceChildren(make('ul', { class: 'oh-exposed-list' }, ...rows));
    },
  };
}
