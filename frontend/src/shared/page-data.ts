// SPDX-License-Identifier: AGPL-3.0-or-later
/** What a template hands to its script: the JSON that Django's `{{ data|json_script:"openhcs-data" }}` wrote. */

/** Read the page's data. Throws when the template did not write it, which is a fault of the plugin and not of the user. */
export function readPageData<T>(id = 'openhcs-data', page: Document = document): T {
  const element = page.getElementById(id);
  if (!element?.textContent) throw new Error(`the page has no data element "${id}"`);
  return JSON.parse(element.textContent) as T;
}
