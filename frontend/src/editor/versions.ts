// SPDX-License-Identifier: AGPL-3.0-or-later
/** Choosing two versions of a pipeline and showing what differs between them. */

import type { Api } from '../shared/api';
import type { FunctionInfo } from '../shared/contracts';
import { make } from '../shared/dom';
import { differencesView } from './differences-view';
import { type EditedDocument, same, tidied } from './document';

export interface VersionsView {
  /** The versions or the edited document have changed. */
  refresh(): void;
}

export interface VersionsOptions {
  host: HTMLElement;
  /** Every saved version, newest first. */
  read(): Promise<EditedDocument[]>;
  /** What is being edited now; absent on a page that edits nothing. */
  edited?(): EditedDocument;
  functions(): ReadonlyMap<string, FunctionInfo>;
}

/** Reads every version of a pipeline. */
export async function readVersions(api: Api, id: string): Promise<EditedDocument[]> {
  const answer = await api.get<{ versions: EditedDocument[] }>(`pipelines/${id}/`);
  return answer.versions.map(tidied);
}

const EDITED = 'edited';

export function createVersionsView({ host, read, edited, functions }: VersionsOptions): VersionsView {
  const from = make('select', { id: 'oh-differences-from', class: 'oh-input' });
  const to = make('select', { id: 'oh-differences-to', class: 'oh-input' });
  const shown = make('div', { 'aria-live': 'polite' });
  const line = make(
    'div',
    { class: 'oh-inline oh-differences-choice' },
    make('label', { for: from.id }, 'From'),
    from,
    make('label', { for: to.id }, 'to'),
    to,
  );
  host.replaceChildren(line, shown);
  let versions: EditedDocument[] = [];

  const chosen = (select: HTMLSelectElement) =>
    select.value === EDITED ? edited?.() : versions.find((document) => String(document.version) === select.value);

  function show(): void {
    const [before, after] = [chosen(from), chosen(to)];
    if (before && after) shown.replaceChildren(differencesView(before, after, functions()));
  }

  function offer(): void {
    const [keptFrom, keptTo] = [from.value, to.value];
    const newest = versions[0]?.version ?? 0;
    const options = versions.map(({ version }) =>
      make('option', { value: version }, `version ${version}${version === newest ? ' (newest)' : ''}`),
    );
    from.replaceChildren(...options.map((option) => option.cloneNode(true)));
    to.replaceChildren(...(edited ? [make('option', { value: EDITED }, 'what is edited here')] : []), ...options);
    const has = (select: HTMLSelectElement, value: string) => [...select.options].some((option) => option.value === value);
    // What people ask first: what have I changed? And when nothing is: what did the newest version change?
    const changed = edited !== undefined && !same(edited(), versions[0]);
    from.value = has(from, keptFrom) ? keptFrom : String((changed ? undefined : versions[1]?.version) ?? newest);
    to.value = has(to, keptTo) ? keptTo : edited ? EDITED : String(newest);
  }

  async function refresh(): Promise<void> {
    try {
      versions = await read();
    } catch (error) {
      shown.replaceChildren(
        make(
          'p',
          { class: 'oh-hint' },
          `The versions cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        ),
      );
      return;
    }
    const enough = versions.length > (edited ? 0 : 1);
    line.hidden = !enough;
    if (!enough) {
      const text = edited
        ? 'This pipeline has not been saved yet.'
        : 'There is one version only, so there is nothing to compare.';
      shown.replaceChildren(make('p', { class: 'oh-hint' }, text));
      return;
    }
    offer();
    show();
  }

  from.addEventListener('change', show);
  to.addEventListener('change', show);
  return { refresh: () => void refresh() };
}
