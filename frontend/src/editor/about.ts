// SPDX-License-Identifier: AGPL-3.0-or-later
/** Name, description and the few facts of the document as a whole. */

import { byId, make } from '../shared/dom';
import { fillSelect } from './controls';
import { slug } from './document';
import { changeDocument } from './edits';
import { type Problems, problemAt, showProblem } from './problems';
import type { Store } from './store';

export interface AboutForm {
  update(problems: Problems): void;
}

/** While a pipeline is `unsaved`, its id follows its name. */
export function createAboutForm(store: Store, unsaved: boolean): AboutForm {
  const name = byId<HTMLInputElement>('oh-name');
  const description = byId<HTMLTextAreaElement>('oh-description');
  const primary = byId<HTMLSelectElement>('oh-primary');
  const channels = byId<HTMLInputElement>('oh-minimum-channels');
  const title = byId('oh-editor-title');
  const errors = new Map([name, description, primary, channels].map((control) => [control, errorOf(control)]));

  name.addEventListener('input', () =>
    store.edit(
      (document) => changeDocument(document, unsaved ? { name: name.value, id: slug(name.value) } : { name: name.value }),
      'name',
    ),
  );
  description.addEventListener('input', () => {
    store.edit((document) => changeDocument(document, { description: description.value }), 'description');
    fit();
  });
  primary.addEventListener('change', () =>
    store.edit((document) => changeDocument(document, { primary_measurement: primary.value || null })),
  );
  channels.addEventListener('input', () =>
    store.edit((document) => changeDocument(document, { minimum_channels: Number(channels.value) }), 'channels'),
  );

  /** As high as its text. */
  function fit(): void {
    description.style.height = 'auto';
    description.style.height = `${description.scrollHeight + 2}px`;
  }

  return {
    update(problems) {
      const { document } = store;
      title.textContent = `Pipeline ${document.name}`;
      if (name.value !== document.name) name.value = document.name;
      if (description.value !== document.description) {
        description.value = document.description;
        fit();
      }
      if (Number(channels.value) !== document.minimum_channels) channels.value = String(document.minimum_channels);
      const titles = new Map(document.measurements.map((entry) => [entry.name, entry.title]));
      const none = { value: '', label: titles.size > 0 ? 'The first one' : 'No measurements are described' };
      const options = [...titles].map(([value, label]) => ({ value, label }));
      fillSelect(primary, [none, ...options], document.primary_measurement ?? '', 'not among the measurements');
      show(name, ['name', 'id']);
      show(description, ['description']);
      show(primary, ['primary_measurement']);
      show(channels, ['minimum_channels']);

      function show(control: HTMLElement, paths: readonly string[]): void {
        const text = paths.map((path) => problemAt(problems, path)).find(Boolean) ?? '';
        const error = errors.get(control as HTMLInputElement);
        if (error) showProblem(control, error, text);
      }
    },
  };
}

function errorOf(control: HTMLElement): HTMLElement {
  const error = make('p', { class: 'oh-field-error', id: `${control.id}-error`, hidden: true });
  control.setAttribute('aria-describedby', error.id);
  (control.closest('.oh-row') ?? control).after(error);
  return error;
}
