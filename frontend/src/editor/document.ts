// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The pipeline document as the editor holds it: what its forms know has a type, and whatever else a document says is kept.
 *
 * A document is never changed in place; every edit makes a new one that shares what stayed the same.
 */

import type { ExposedParameter, Measurement, ParameterValue } from '../pages/parts/documents';
import type { FunctionInfo, FunctionParameter } from '../shared/contracts';

export type { ExposedParameter, Measurement, ParameterValue };

export interface Step {
  name: string;
  function: string;
  parameters: Record<string, ParameterValue>;
  channels?: (string | number)[] | null;
  input?: 'previous' | 'start';
  enabled?: boolean;
  [other: string]: unknown;
}

export interface EditedDocument {
  schema_version: number;
  id: string;
  version: number;
  name: string;
  description: string;
  steps: Step[];
  parameters: ExposedParameter[];
  measurements: Measurement[];
  primary_measurement: string | null;
  minimum_channels: number;
  [other: string]: unknown;
}

/** A pipeline without steps: valid only once one is added. */
export function emptyDocument(): EditedDocument {
  return {
    schema_version: 1,
    id: 'new-pipeline',
    version: 1,
    name: 'New pipeline',
    description: '',
    steps: [],
    parameters: [],
    measurements: [],
    primary_measurement: null,
    minimum_channels: 1,
  };
}

/**
 * A document as the server sends it, without what says nothing: the server writes every field of its models, also those that
 * are empty or have their default. Values of parameters are left as they are, because there null is a value.
 */
export function tidied(document: EditedDocument): EditedDocument {
  const steps = document.steps.map(({ channels, grouping, input, enabled, ...step }): Step => {
    const kept: Step = { ...(step as Step) };
    if (channels) kept.channels = channels;
    if (grouping) kept.grouping = grouping;
    if (input === 'start') kept.input = input;
    if (enabled === false) kept.enabled = enabled;
    return kept;
  });
  const { golden_wells: wells, ...others } = document;
  const tidy: EditedDocument = {
    ...(others as EditedDocument),
    steps,
    parameters: document.parameters.map(withoutNothing),
    measurements: document.measurements.map(withoutNothing),
  };
  return Array.isArray(wells) && wells.length > 0 ? { ...tidy, golden_wells: wells } : tidy;
}

/** Without keys that hold null, except a default: that may be null. */
export function withoutNothing<T extends object>(entry: T): T {
  const kept = Object.entries(entry).filter(([key, value]) => (value !== null && value !== undefined) || key === 'default');
  return Object.fromEntries(kept) as T;
}

/** The document as the text that people see. */
export function writeText(document: EditedDocument): string {
  return JSON.stringify(document, null, 2);
}

/** Whether two values that JSON can hold are the same, whatever the order of an object's keys. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((entry, index) => same(entry, other[index]))
    );
  }
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => key in right && same(left[key], right[key]));
}

/** A name for people: the parameter's title, or its name with spaces. */
export function titleOf(parameter: Pick<FunctionParameter, 'name' | 'title'>): string {
  return parameter.title || words(parameter.name);
}

/** `selem_radius` is "Selem radius". */
export function words(name: string): string {
  const text = name.replaceAll('_', ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The exposed parameter of a step's parameter, if it is shown on the page for running the pipeline. */
export function exposedOf(document: EditedDocument, step: number, parameter: string): ExposedParameter | undefined {
  return document.parameters.find((entry) => entry.step === step && entry.parameter === parameter);
}

/** The limits in words behind a value, with a comma: ", 4 to 400"; empty where there are none. */
export function rangeText({ minimum, maximum }: { minimum?: number | null; maximum?: number | null }): string {
  const [low, high] = [minimum ?? null, maximum ?? null];
  if (low !== null && high !== null) return `, ${low} to ${high}`;
  if (low !== null) return `, at least ${low}`;
  return high !== null ? `, at most ${high}` : '';
}

/** What a step will run with: its own value, else the default shown to users, else the function's default. */
export function valueOf(document: EditedDocument, step: number, parameter: FunctionParameter): ParameterValue {
  const own = document.steps[step]?.parameters[parameter.name];
  if (own !== undefined) return own;
  return exposedOf(document, step, parameter.name)?.default ?? (parameter.default as ParameterValue) ?? null;
}

/**
 * A part of an address from a name: "Count nuclei (copy)" is `count-nuclei-copy`. At most 40 characters, because the server
 * puts its owner in front and allows 64.
 */
export function slug(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[\u0300-\u036f]/g, '');
  const parts = plain.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return parts.join('-').slice(0, 40).replace(/-$/, '') || 'pipeline';
}

/** The objects that a step makes, by the names with which later steps refer to them. */
export function objectsMadeBy(info: FunctionInfo | undefined, step: Step): string[] {
  const made = (info?.outputs ?? []).filter((output) => output !== 'image' && output !== 'measurements');
  if (!made.includes('objects')) return made;
  // `objects` stands for those that a step names itself.
  const naming = info?.parameters.find((parameter) => parameter.name === 'name' && parameter.type === 'string');
  const given = step.parameters.name ?? naming?.default;
  const named = typeof given === 'string' && given !== '' ? given : 'objects';
  return made.map((output) => (output === 'objects' ? named : output));
}

/** The objects that steps before `step` find, each once, in the order in which they are found. */
export function objectsBefore(document: EditedDocument, step: number, functions: ReadonlyMap<string, FunctionInfo>): string[] {
  const earlier = document.steps.slice(0, step).filter((entry) => entry.enabled !== false);
  return [...new Set(earlier.flatMap((entry) => objectsMadeBy(functions.get(entry.function), entry)))];
}
