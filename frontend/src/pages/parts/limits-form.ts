// SPDX-License-Identifier: AGPL-3.0-or-later
/** A form of limits as the API takes it: numbers by name, and null for an empty field, which gives the limit back. */
export function limitsOf(form: HTMLFormElement): Record<string, number | null> {
  const limits: Record<string, number | null> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string') limits[name] = value.trim() === '' ? null : Number(value);
  }
  return limits;
}
