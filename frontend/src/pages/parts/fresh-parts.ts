// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Parts of a page that the server renders again, while the page stays.
 *
 * The page is fetched, parsed apart from this one (no script of it runs), and the elements with the given ids take the place of
 * the shown ones. A part in which somebody is typing is left alone; focus on an element with `data-oh-key` goes to its successor.
 */

export interface FreshParts {
  /** Ask once now. Rejects when the server does not answer with such a page. */
  refresh(): Promise<void>;
  stop(): void;
}

export function keepFresh(
  ids: readonly string[],
  everyMs: number,
  failed: (sentence: string) => void,
  fetcher: typeof fetch = (...given) => fetch(...given),
): FreshParts {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  async function refresh(): Promise<void> {
    asked += 1;
    const mine = asked;
    const response = await fetcher(location.href, { credentials: 'same-origin' });
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    if (mine !== asked) return; // a later answer is on its way
    const fresh = ids.map((id) => page.getElementById(id));
    if (!response.ok || fresh.some((part) => part === null)) throw new Error('not the page');
    for (const part of fresh) if (part) put(part);
  }

  async function round(): Promise<void> {
    if (!document.hidden && !document.querySelector('dialog[open]')) {
      try {
        await refresh();
        failed('');
      } catch {
        failed('OMERO.web or the execution service does not answer. What is shown may be old.');
      }
    }
    timer = setTimeout(() => void round(), everyMs);
  }
  timer = setTimeout(() => void round(), everyMs);
  return { refresh, stop: () => clearTimeout(timer) };
}

function put(fresh: HTMLElement): void {
  const shown = document.getElementById(fresh.id);
  if (!shown || isBeingEdited(shown)) return;
  const focused = document.activeElement;
  const key = focused instanceof HTMLElement && shown.contains(focused) ? focused.dataset.ohKey : undefined;
  const scrolled = [...shown.querySelectorAll('.oh-scroll')].map((part) => part.scrollLeft);
  shown.replaceWith(document.adoptNode(fresh));
  [...fresh.querySelectorAll('.oh-scroll')].forEach((part, number) => {
    part.scrollLeft = scrolled[number] ?? 0;
  });
  if (key) [...fresh.querySelectorAll<HTMLElement>('[data-oh-key]')].find((part) => part.dataset.ohKey === key)?.focus();
}

/** Whether a field in it has the focus or another value than the server gave it. */
function isBeingEdited(part: HTMLElement): boolean {
  const fields = [...part.querySelectorAll('input')];
  return fields.some((field) => field === document.activeElement || field.value !== field.defaultValue);
}
