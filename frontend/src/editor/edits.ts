// SPDX-License-Identifier: AGPL-3.0-or-later
/** Every edit of a document as a plain function: document in, document out. What shows a step's values follows the step. */

import type { FunctionInfo, FunctionParameter } from '../shared/contracts';
import {
  type EditedDocument,
  type ExposedParameter,
  type Measurement,
  type ParameterValue,
  type Step,
  exposedOf,
  same,
  slug,
  titleOf,
  valueOf,
  withoutNothing,
} from './document';

/**
 * Put a step that runs `info` with its defaults at place `at`. `objects` are those that earlier steps find: where the default
 * is none of them, the step takes the newest.
 */
export function addStep(
  document: EditedDocument,
  at: number,
  info: FunctionInfo,
  objects: readonly string[] = [],
): EditedDocument {
  const given = info.parameters.filter((parameter) => !parameter.advanced && parameter.default !== null);
  const step: Step = {
    name: freeName(
      info.title.slice(0, 110),
      document.steps.map((entry) => entry.name),
    ),
    function: info.id,
    parameters: Object.fromEntries(given.map((parameter) => [parameter.name, parameter.default as ParameterValue])),
  };
  const free = [...objects];
  for (const parameter of info.parameters.filter((entry) => entry.type === 'objects')) {
    const wanted = free.includes(String(parameter.default)) ? String(parameter.default) : free.at(-1);
    if (wanted === undefined) continue;
    step.parameters[parameter.name] = wanted;
    free.splice(free.indexOf(wanted), 1);
  }
  return insertStep(document, at, freeColumns(document, step, info));
}

/** Repeat a step right behind itself. What of it is shown on the run page is not repeated. */
export function duplicateStep(document: EditedDocument, at: number, info?: FunctionInfo): EditedDocument {
  const original = document.steps[at];
  if (!original) return document;
  const names = document.steps.map((entry) => entry.name);
  const copy = { ...structuredClone(original), name: freeName(original.name.slice(0, 110), names) };
  return insertStep(document, at + 1, info ? freeColumns(document, copy, info) : copy);
}

export function removeStep(document: EditedDocument, at: number): EditedDocument {
  const steps = document.steps.filter((_, index) => index !== at);
  const kept = document.parameters.filter((entry) => entry.step !== at);
  return { ...document, steps, parameters: renumbered(kept, (step) => (step > at ? step - 1 : step)) };
}

/** Take the step at `from` out and put it where it is the `to`-th. */
export function moveStep(document: EditedDocument, from: number, to: number): EditedDocument {
  const moved = document.steps[from];
  if (!moved || from === to || to < 0 || to >= document.steps.length) return document;
  const steps = document.steps.filter((_, index) => index !== from);
  steps.splice(to, 0, moved);
  const place = (step: number): number => {
    if (step === from) return to;
    if (from < step && step <= to) return step - 1;
    return to <= step && step < from ? step + 1 : step;
  };
  return { ...document, steps, parameters: renumbered(document.parameters, place) };
}

/** Change what a step says about itself; a change to undefined removes the key. */
export function changeStep(document: EditedDocument, at: number, change: Partial<Step>): EditedDocument {
  return withStep(document, at, (step) => withoutUndefined({ ...step, ...change }) as Step);
}

/** Set a value. Where users see the parameter, its default there follows, as a published pipeline demands. */
export function setParameter(document: EditedDocument, at: number, name: string, value: ParameterValue): EditedDocument {
  const changed = withStep(document, at, (step) => ({ ...step, parameters: { ...step.parameters, [name]: value } }));
  return withExposed(changed, at, name, (entry) => ({ ...entry, default: value }));
}

/** Leave a value to the function again. */
export function resetParameter(document: EditedDocument, at: number, parameter: FunctionParameter): EditedDocument {
  const changed = withStep(document, at, (step) => {
    const { [parameter.name]: _, ...parameters } = step.parameters;
    return { ...step, parameters };
  });
  return withExposed(changed, at, parameter.name, (entry) => ({
    ...entry,
    default: (parameter.default as ParameterValue) ?? null,
  }));
}

export function changeDocument(document: EditedDocument, change: Partial<EditedDocument>): EditedDocument {
  return { ...document, ...change };
}

/** The kinds of value that the page for running a pipeline can show. */
const SHOWABLE: ReadonlySet<string> = new Set(['integer', 'number', 'boolean', 'choice', 'channel']);

export function canBeExposed(parameter: FunctionParameter): boolean {
  return SHOWABLE.has(parameter.type);
}

/** Show a parameter on the page for running the pipeline, with the limits that the function has. */
export function expose(document: EditedDocument, at: number, parameter: FunctionParameter): EditedDocument {
  if (!canBeExposed(parameter) || exposedOf(document, at, parameter.name)) return document;
  const value = valueOf(document, at, parameter);
  const taken = document.parameters;
  const entry: ExposedParameter = withoutNothing({
    name: freeIdentifier(
      slug(parameter.name),
      taken.map((other) => other.name),
    ),
    title: freeName(
      titleOf(parameter),
      taken.map((other) => other.title),
    ),
    step: at,
    parameter: parameter.name,
    type: parameter.type as ExposedParameter['type'],
    default: value,
    minimum: parameter.minimum,
    maximum: parameter.maximum,
    choices: parameter.choices,
    unit: parameter.unit,
    help: parameter.help,
  });
  const shown = { ...document, parameters: [...taken, entry].sort((one, other) => one.step - other.step) };
  // What is shown must be what the step holds; a step that left it to the function holds it from now on.
  return same(document.steps[at]?.parameters[parameter.name], value) ? shown : setParameter(shown, at, parameter.name, value);
}

export function hide(document: EditedDocument, at: number, name: string): EditedDocument {
  return { ...document, parameters: document.parameters.filter((entry) => !(entry.step === at && entry.parameter === name)) };
}

/** Change how a parameter is shown: its title, its limits, its help. */
export function changeExposed(
  document: EditedDocument,
  at: number,
  name: string,
  change: Partial<ExposedParameter>,
): EditedDocument {
  return withExposed(document, at, name, (entry) => withoutNothing({ ...entry, ...change }));
}

/** Replace everything said about the measurement `name`: once for each of its levels. */
export function changeMeasurement(
  document: EditedDocument,
  name: string,
  change: Partial<Omit<Measurement, 'level'>>,
  levels?: readonly Measurement['level'][],
): EditedDocument {
  const entries = document.measurements.filter((entry) => entry.name === name);
  const first = entries[0];
  if (!first) return document;
  const wanted = levels ?? entries.map((entry) => entry.level);
  const replaced = wanted.map((level) =>
    withoutNothing({ ...first, ...entries.find((entry) => entry.level === level), ...change, level }),
  );
  const at = document.measurements.indexOf(first);
  const before = document.measurements.slice(0, at).filter((entry) => entry.name !== name);
  const after = document.measurements.slice(at).filter((entry) => entry.name !== name);
  const primary = document.primary_measurement;
  return {
    ...document,
    measurements: [...before, ...replaced, ...after],
    primary_measurement: primary === name ? (replaced[0]?.name ?? null) : primary,
  };
}

export function addMeasurement(document: EditedDocument): EditedDocument {
  const name = freeIdentifier(
    'measurement',
    document.measurements.map((entry) => entry.name),
    '_',
  );
  const entry = { name, title: 'New measurement', level: 'well', help: '' } as Measurement;
  return { ...document, measurements: [...document.measurements, entry] };
}

/** "Smooth", "Smooth 2", "Smooth 3". */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  const stem = wanted.replace(/ \d+$/, '');
  let number = 2;
  while (taken.includes(`${stem} ${number}`)) number += 1;
  return `${stem} ${number}`;
}

function freeIdentifier(wanted: string, taken: readonly string[], between = '-'): string {
  if (!taken.includes(wanted)) return wanted;
  let number = 2;
  while (taken.includes(`${wanted}${between}${number}`)) number += 1;
  return `${wanted}${between}${number}`;
}

/** Two steps must not fill the same columns of a table, so a step that names its columns gets a free name. */
function freeColumns(document: EditedDocument, step: Step, info: FunctionInfo): Step {
  const naming = info.parameters.find((parameter) => parameter.name === 'name' && parameter.type === 'string');
  const wanted = naming ? (step.parameters.name ?? naming.default) : undefined;
  if (typeof wanted !== 'string') return step;
  const taken = document.steps.map((entry) => entry.parameters.name).filter((name) => typeof name === 'string');
  return { ...step, parameters: { ...step.parameters, name: freeIdentifier(wanted, taken, '_') } };
}

function insertStep(document: EditedDocument, at: number, step: Step): EditedDocument {
  const place = Math.min(Math.max(at, 0), document.steps.length);
  const steps = [...document.steps.slice(0, place), step, ...document.steps.slice(place)];
  return { ...document, steps, parameters: renumbered(document.parameters, (index) => (index >= place ? index + 1 : index)) };
}

function withStep(document: EditedDocument, at: number, change: (step: Step) => Step): EditedDocument {
  return { ...document, steps: document.steps.map((step, index) => (index === at ? change(step) : step)) };
}

function withExposed(
  document: EditedDocument,
  at: number,
  name: string,
  change: (entry: ExposedParameter) => ExposedParameter,
): EditedDocument {
  if (!exposedOf(document, at, name)) return document;
  const parameters = document.parameters.map((entry) =>
    entry.step === at && entry.parameter === name ? change(entry) : entry,
  );
  return { ...document, parameters };
}

/** The shown parameters with their steps' new places, in the order of the steps. */
function renumbered(entries: readonly ExposedParameter[], place: (step: number) => number): ExposedParameter[] {
  return entries.map((entry) => ({ ...entry, step: place(entry.step) }));
}

function withoutUndefined(content: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}
