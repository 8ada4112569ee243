// SPDX-License-Identifier: AGPL-3.0-or-later
/** What is wrong with the document, by path (`steps.0.parameters.sigma`), and where a path's problem is shown. */

export type Problems = Readonly<Record<string, string>>;

/** The problem of `path` itself or of something within it; empty when there is none. */
export function problemAt(problems: Problems, path: string): string {
  if (problems[path]) return problems[path];
  const within = Object.keys(problems).find((key) => key.startsWith(`${path}.`));
  return within ? (problems[within] ?? '') : '';
}

/** The problem of `path` itself only. */
export function problemOf(problems: Problems, path: string): string {
  return problems[path] ?? '';
}

/** The server names the parts of what was posted: `document.steps.0` is `steps.0` here. */
export function ofDocument(fieldErrors: Problems): Problems {
  return Object.fromEntries(Object.entries(fieldErrors).map(([path, text]) => [path.replace(/^document\./, ''), text]));
}

/** Show a problem below its control, tied to it; an empty text takes it away. */
export function showProblem(control: HTMLElement, error: HTMLElement, text: string): void {
  error.textContent = text;
  error.hidden = text === '';
  if (text) control.setAttribute('aria-invalid', 'true');
  else control.removeAttribute('aria-invalid');
}
