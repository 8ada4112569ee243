// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * A search form whose results follow what is typed.
 *
 * The server renders the page for the new query, escaped as always, and its results take the place of the shown ones. They are
 * parsed apart from this page, where no script of theirs runs. The address follows, so that reloading and sharing it work.
 */

const PAUSE_MS = 200;

export interface LiveSearch {
  /** Show the results of the form as they are now. */
  refresh(): Promise<void>;
}

/** `results` is the id of the element that is replaced; `failed` gets a sentence when the server does not answer. */
export function attachLiveSearch(
  form: HTMLFormElement,
  results: string,
  failed: (sentence: string) => void,
  fetcher: typeof fetch = (...given) => fetch(...given),
): LiveSearch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;

  async function show(address: string): Promise<void> {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    try {
      const response = await fetcher(address, { credentials: 'same-origin', signal: mine.signal });
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const found = page.getElementById(results);
      if (mine.signal.aborted) return;
      if (!found) {
        // A refusal, or the login page: the browser shows it best.
        location.assign(address);
        return;
      }
      document.getElementById(results)?.replaceWith(document.adoptNode(found));
      history.replaceState(null, '', address);
      failed('');
    } catch {
      if (!mine.signal.aborted) failed('OMERO.web does not answer. Check the network and try again.');
    }
  }

  const now = () => show(addressOf(form));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    void now();
  });
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void now(), PAUSE_MS);
  });
  return { refresh: () => show(location.href) };
}

/** The address that the form would go to; what is empty is left out. */
export function addressOf(form: HTMLFormElement): string {
  const address = new URL(form.action, document.baseURI);
  address.search = '';
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value.trim() !== '') address.searchParams.set(name, value);
  }
  return address.href;
}
