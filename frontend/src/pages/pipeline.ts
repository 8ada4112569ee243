// SPDX-License-Identifier: AGPL-3.0-or-later
/** The page of one pipeline: the tabs JSON and Python, and the button that copies the shown one. */

import { createApi } from '../shared/api';

for (const box of document.querySelectorAll<HTMLElement>('[data-oh-tabs]')) attachTabs(box);

function attachTabs(box: HTMLElement): void {
  const tabs = [...box.querySelectorAll<HTMLButtonElement>('[role="tab"]')];
  const panelOf = (tab: HTMLElement) => document.getElementById(tab.getAttribute('aria-controls') ?? '');

  function choose(chosen: HTMLButtonElement): void {
    for (const tab of tabs) {
      const here = tab === chosen;
      tab.setAttribute('aria-selected', String(here));
      tab.tabIndex = here ? 0 : -1;
      const panel = panelOf(tab);
      if (panel) panel.hidden = !here;
      if (panel && here && panel.dataset.ohRender) void showPython(panel, panel.dataset.ohRender);
    }
  }

  box.addEventListener('click', (event) => {
    const target = event.target as Element;
    const tab = tabs.find((candidate) => candidate.contains(target));
    if (tab) choose(tab);
    const copy = target.closest<HTMLButtonElement>('[data-oh-copy]');
    const shown = tabs.find((candidate) => candidate.getAttribute('aria-selected') === 'true');
    if (copy && shown) void copyText(copy, panelOf(shown));
  });
  box.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(event.target as HTMLButtonElement);
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = at >= 0 && step !== 0 ? tabs[(at + step + tabs.length) % tabs.length] : undefined;
    if (!next) return;
    event.preventDefault();
    choose(next);
    next.focus();
  });
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
