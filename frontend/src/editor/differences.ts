// SPDX-License-Identifier: AGPL-3.0-or-later
/** What differs between two versions of a pipeline, told step by step and not line by line. */

import {
  type EditedDocument,
  type ExposedParameter,
  type Measurement,
  type ParameterValue,
  type Step,
  rangeText,
  same,
} from './document';

export interface Change {
  /** A name of a parameter or of a part, for example `sigma` or `name`. */
  what: string;
  before: unknown;
  after: unknown;
}

export interface StepDifference {
  kind: 'added' | 'removed' | 'changed' | 'moved' | 'same';
  name: string;
  function: string;
  /** Places counted from 0. */
  before: number | null;
  after: number | null;
  /** Whether it stands elsewhere among the steps that both versions have. */
  moved: boolean;
  parameters: Change[];
  settings: Change[];
}

export interface Differences {
  /** Name, description and the other parts of the document itself. */
  about: Change[];
  steps: StepDifference[];
  /** What the run page shows: `before` or `after` is null for what was added or removed. */
  exposed: Change[];
  measurements: { added: string[]; removed: string[]; changed: string[] };
  /** Whether nothing at all differs but the version number. */
  none: boolean;
}

const TOLD_APART = new Set(['steps', 'parameters', 'measurements', 'version']);

export function differencesOf(before: EditedDocument, after: EditedDocument): Differences {
  const pairs = pairSteps(before.steps, after.steps);
  const steps = stepDifferences(before.steps, after.steps, pairs);
  const about = changesOf(before, after, TOLD_APART);
  const exposed = exposedChanges(before, after, pairs);
  const measurements = measurementChanges(before.measurements, after.measurements);
  const none =
    about.length === 0 &&
    exposed.length === 0 &&
    steps.every((step) => step.kind === 'same') &&
    Object.values(measurements).every((names) => names.length === 0);
  return { about, steps, exposed, measurements, none };
}

/**
 * Which step of one version is which of the other: for each place in `after` the place in `before`, or null.
 *
 * Equal steps first (in order, the longest common run of them), then steps of the same name and function, then those that
 * share one of the two.
 */
export function pairSteps(before: readonly Step[], after: readonly Step[]): (number | null)[] {
  const pairs: (number | null)[] = after.map(() => null);
  const free = new Set(before.keys());
  const rules: ((one: Step, other: Step) => boolean)[] = [
    (one, other) => same(one, other),
    (one, other) => one.name === other.name && one.function === other.function,
    (one, other) => one.function === other.function,
    (one, other) => one.name === other.name,
  ];
  for (const fits of rules) {
    after.forEach((step, index) => {
      if (pairs[index] !== null) return;
      const found = [...free].find((place) => fits(before[place] as Step, step));
      if (found === undefined) return;
      pairs[index] = found;
      free.delete(found);
    });
  }
  return pairs;
}

function stepDifferences(before: readonly Step[], after: readonly Step[], pairs: readonly (number | null)[]): StepDifference[] {
  const inOrder = longestIncreasing(pairs.filter((place): place is number => place !== null));
  const told: StepDifference[] = after.map((step, index) => {
    const place = pairs[index] ?? null;
    const old = place === null ? undefined : before[place];
    const moved = place !== null && !inOrder.has(place);
    const parameters = old ? changesOf(old.parameters, step.parameters) : changesOf({}, step.parameters);
    const settings = old ? changesOf(settingsOf(old), settingsOf(step)) : [];
    const changed = parameters.length > 0 || settings.length > 0;
    const kind = !old ? 'added' : changed ? 'changed' : moved ? 'moved' : 'same';
    return { kind, name: step.name, function: step.function, before: place, after: index, moved, parameters, settings };
  });
  // What was removed is told where it stood: before the first step that followed it and is still there.
  const kept = new Set(pairs);
  before.forEach((step, place) => {
    if (kept.has(place)) return;
    const next = told.findIndex((entry) => entry.before !== null && entry.before > place && !entry.moved);
    told.splice(next < 0 ? told.length : next, 0, {
      kind: 'removed',
      name: step.name,
      function: step.function,
      before: place,
      after: null,
      moved: false,
      parameters: [],
      settings: [],
    });
  });
  return told;
}

/** What a step says besides its values; what is left out means the same as its default. */
function settingsOf({ parameters: _, ...step }: Step): Record<string, unknown> {
  const { channels = null, grouping = null, input = 'previous', enabled = true, ...others } = step;
  return { ...others, channels, grouping, input, enabled };
}

function changesOf(before: object, after: object, except: ReadonlySet<string> = new Set()): Change[] {
  const [one, other] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => !except.has(name));
  return names
    .filter((name) => !same(one[name], other[name]))
    .map((name) => ({ what: name, before: one[name], after: other[name] }));
}

/** A parameter shown to users is the same one when it shows the same parameter of the same step, wherever that stands now. */
function exposedChanges(before: EditedDocument, after: EditedDocument, pairs: readonly (number | null)[]): Change[] {
  const changes: Change[] = [];
  const free = new Set(before.parameters);
  for (const entry of after.parameters) {
    const place = pairs[entry.step] ?? null;
    const old = [...free].find((other) => other.step === place && other.parameter === entry.parameter);
    if (!old) {
      changes.push({ what: entry.title, before: null, after: describeExposed(entry, false) });
      continue;
    }
    free.delete(old);
    const renamed = old.title !== entry.title;
    const [was, is] = [describeExposed(old, renamed), describeExposed(entry, renamed)];
    if (was !== is) changes.push({ what: entry.title, before: was, after: is });
    const others = changesOf(old, entry, TOLD_IN_A_LINE);
    changes.push(...others.map((change) => ({ ...change, what: `${entry.title}, ${change.what}` })));
  }
  for (const entry of free) changes.push({ what: entry.title, before: describeExposed(entry, false), after: null });
  return changes;
}

/** What {@link describeExposed} tells of a shown parameter, and which step it belongs to. */
const TOLD_IN_A_LINE = new Set(['title', 'default', 'minimum', 'maximum', 'unit', 'step', 'parameter']);

/** What a shown parameter says, with its title where that differs. */
function describeExposed(entry: ExposedParameter, withTitle: boolean): string {
  const title = withTitle ? `“${entry.title}” ` : '';
  return `${title}${describe(entry.default)}${entry.unit ? ` ${entry.unit}` : ''}${rangeText(entry)}`;
}

function measurementChanges(before: readonly Measurement[], after: readonly Measurement[]): Differences['measurements'] {
  const key = (entry: Measurement) => `${entry.title} per ${entry.level}`;
  const by = (entries: readonly Measurement[]) => new Map(entries.map((entry) => [`${entry.name} ${entry.level}`, entry]));
  const [old, now] = [by(before), by(after)];
  return {
    added: [...now].filter(([name]) => !old.has(name)).map(([, entry]) => key(entry)),
    removed: [...old].filter(([name]) => !now.has(name)).map(([, entry]) => key(entry)),
    changed: [...now].filter(([name, entry]) => old.has(name) && !same(old.get(name), entry)).map(([, entry]) => key(entry)),
  };
}

/** A value as people write it. */
export function describe(value: unknown): string {
  if (value === undefined) return 'not given';
  if (value === null) return 'automatic';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value))
    return value.every((entry) => typeof entry !== 'object') ? value.map(describe).join(', ') : JSON.stringify(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value as ParameterValue);
}

/** The members of a longest increasing run: what kept its order. */
function longestIncreasing(places: readonly number[]): ReadonlySet<number> {
  const best: number[][] = [];
  places.forEach((place, index) => {
    const before = best.slice(0, index).filter((run) => (run.at(-1) ?? 0) < place);
    const longest = before.reduce<number[]>((one, other) => (other.length > one.length ? other : one), []);
    best.push([...longest, place]);
  });
  return new Set(best.reduce<number[]>((one, other) => (other.length > one.length ? other : one), []));
}
