// SPDX-License-Identifier: AGPL-3.0-or-later
/** The document as text, and back: a text that forms cannot show is refused with the place of the mistake. */

import { jsonLanguage } from '@codemirror/lang-json';

import { type EditedDocument, emptyDocument } from './document';

export interface TextMistake {
  message: string;
  /** Where in the text, counted from 0; null when the mistake belongs to a path. */
  offset: number | null;
  /** Which part, `steps.0.name` for example; empty when the mistake belongs to a place. */
  path: string;
}

export type Reading = { document: EditedDocument } | { mistake: TextMistake };

export function readText(text: string): Reading {
  let content: unknown;
  try {
    content = withDefaults(JSON.parse(text));
  } catch {
    return { mistake: { ...firstMistake(text), path: '' } };
  }
  const problem = shapeProblem(content);
  if (problem) return { mistake: { ...problem, offset: null } };
  return { document: content as EditedDocument };
}

/** Line and column of an offset, both counted from 1. */
export function lineOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Where JSON ends being JSON. What browsers say about it differs, and some do not say where. */
function firstMistake(text: string): { message: string; offset: number } {
  let offset = text.length;
  const cursor = jsonLanguage.parser.parse(text).cursor();
  do {
    if (!cursor.type.isError) continue;
    offset = cursor.from;
    break;
  } while (cursor.next());
  // The parser notices a missing part behind the blanks; what stands there is what was not expected.
  offset += text.slice(offset).length - text.slice(offset).trimStart().length;
  return { message: sentence(text, offset), offset };
}

function sentence(text: string, offset: number): string {
  const at = text.slice(offset).trimStart().charAt(0);
  if (at === '') return 'The text ends too early: a bracket or a quotation mark is missing.';
  const before = text.slice(0, offset).trimEnd().at(-1) ?? '';
  if ((at === '}' || at === ']') && before === ',') return 'There is a comma too many before this bracket.';
  if (at === '"' && before !== '' && !'{[,:'.includes(before)) return 'A comma is missing before this.';
  if (at === "'") return 'Use double quotation marks.';
  return `This is not JSON: ${at} is not expected here.`;
}

type Problem = { message: string; path: string } | null;
type JsonObject = Record<string, unknown>;
type Check = (value: unknown) => string;

/** What forms rely on: which parts are texts, lists and objects. Everything else is for the server to check. */
function shapeProblem(content: unknown): Problem {
  if (!isObject(content)) return { message: 'A pipeline is an object: { … }.', path: '' };
  return (
    need(content, { name: aText, id: aText, description: aText }) ??
    needList(content, 'steps', { name: aText, function: aText, parameters: anObject }) ??
    needList(content, 'parameters', { name: aText, title: aText, parameter: aText, step: aPlace }) ??
    needList(content, 'measurements', { name: aText, title: aText, level: aText })
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const aText: Check = (value) => (typeof value === 'string' ? '' : 'must be a text');
const anObject: Check = (value) => (isObject(value) ? '' : 'must be an object: { … }');
const aPlace: Check = (value) => (Number.isInteger(value) && Number(value) >= 0 ? '' : 'must be the number of a step');

function need(content: JsonObject, checks: Record<string, Check>): Problem {
  for (const [key, check] of Object.entries(checks)) {
    if (!(key in content)) return { message: `"${key}" is missing here.`, path: '' };
    const problem = check(content[key]);
    if (problem) return { message: `"${key}" ${problem}.`, path: key };
  }
  return null;
}

function needList(content: JsonObject, key: string, checks: Record<string, Check>): Problem {
  const list = content[key];
  if (!Array.isArray(list)) return { message: `"${key}" must be a list: [ … ].`, path: key in content ? key : '' };
  for (const [index, entry] of list.entries()) {
    const path = `${key}.${index}`;
    if (!isObject(entry)) return { message: 'This must be an object: { … }.', path };
    const problem = need(entry, checks);
    if (problem) return { message: problem.message, path: problem.path ? `${path}.${problem.path}` : path };
  }
  return null;
}

/** Parts that a document may leave out, with what they then mean. */
function withDefaults(content: unknown): unknown {
  if (!isObject(content)) return content;
  const { id: _id, name: _name, steps: _steps, ...optional } = emptyDocument();
  const whole: JsonObject = { ...optional, ...content };
  if (Array.isArray(whole.steps)) {
    whole.steps = whole.steps.map((step: unknown) => (isObject(step) ? { parameters: {}, ...step } : step));
  }
  return whole;
}
