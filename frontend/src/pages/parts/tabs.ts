// SPDX-License-Identifier: AGPL-3.0-or-later
/** Tabs after the ARIA pattern: one tab stop, the arrow keys choose. The template writes tabs and panels. */

export interface Tabs {
  choose(tab: HTMLElement): void;
}

/** Make the tabs in `box` live; `onShow` is told the panel that is shown whenever that changes. */
export function attachTabs(box: HTMLElement, onShow: (panel: HTMLElement) => void = () => undefined): Tabs {
  const tabs = [...box.querySelectorAll<HTMLButtonElement>('[role="tab"]')];
  const panelOf = (tab: HTMLElement) => document.getElementById(tab.getAttribute('aria-controls') ?? '');

  function choose(chosen: HTMLElement): void {
    for (const tab of tabs) {
      const here = tab === chosen;
      tab.setAttribute('aria-selected', String(here));
      tab.tabIndex = here ? 0 : -1;
      const panel = panelOf(tab);
      if (!panel) continue;
      panel.hidden = !here;
      if (here) onShow(panel);
    }
  }

  box.addEventListener('click', (event) => {
    const tab = tabs.find((candidate) => candidate.contains(event.target as Node));
    if (tab) choose(tab);
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
  return { choose };
}
