// SPDX-License-Identifier: AGPL-3.0-or-later
/** The page of one pipeline: the tabs JSON and Python, the button that copies the shown one, and what versions differ in. */

import { readCatalogue } from '../editor/catalogue';
import { createVersionsView, readVersions } from '../editor/versions';
import { createApi } from '../shared/api';
import type { FunctionInfo } from '../shared/contracts';
import { attachTabs } from './parts/tabs';

for (const box of document.querySelectorAll<HTMLElement>('[data-oh-tabs]')) {
  attachTabs(box, (panel) => {
    if (panel.dataset.ohRender) void showPython(panel, panel.dataset.ohRender);
  });
  box.addEventListener('click', (event) => {
    const copy = (event.target as Element).closest<HTMLButtonElement>('[data-oh-copy]');
    if (copy) void copyText(copy, box.querySelector<HTMLElement>('[role="tabpanel"]:not([hidden])'));
  });
}

const differences = document.getElementById('oh-differences');
if (differences?.dataset.ohPipeline) {
  const api = createApi(differences.dataset.ohApi ?? '');
  const id = differences.dataset.ohPipeline;
  let functions: ReadonlyMap<string, FunctionInfo> = new Map();
  const view = createVersionsView({ host: differences, read: () => readVersions(api, id), functions: () => functions });
  // Titles of parameters are better than their names, but the names will do.
  void readCatalogue(api)
    .then((read) => (functions = new Map(read.map((info) => [info.id, info]))))
    .catch(() => undefined)
    .finally(view.refresh);
}

/** The Python source is made by OpenHCS itself, which can take seconds, so only who looks at it waits for it. */
async function showPython(panel: HTMLElement, address: string): Promise<void> {
  delete panel.dataset.ohRender;
  const code = panel.querySelector('code') ?? panel;
  code.textContent = 'OpenHCS is writing it…';
  try {
    const source = document.getElementById('oh-source-json')?.textContent ?? '';
    const answer = await createApi(address).post<{ python: string }>(address, { document: JSON.parse(source) });
    code.textContent = answer.python;
  } catch (error) {
    panel.dataset.ohRender = address;
    code.textContent = `It could not be written: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function copyText(button: HTMLButtonElement, panel: HTMLElement | null): Promise<void> {
  if (!panel) return;
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(panel.textContent ?? '');
    button.textContent = 'Copied';
  } catch {
    // Without https there is no clipboard for scripts; the text is selected instead.
    getSelection()?.selectAllChildren(panel);
    button.textContent = 'Press Ctrl+C';
  }
  setTimeout(() => {
    button.textContent = before;
  }, 2000);
}
