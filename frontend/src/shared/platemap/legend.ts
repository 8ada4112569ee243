// SPDX-License-Identifier: AGPL-3.0-or-later
/** The legend under a plate map: the states with their counts, or the colour scale of a measurement. */

import type { WellState } from '../contracts';
import { type Limits, readable, type ScaleName, scaleColour } from './colourscale';
import { MARKS, WELL_MARKS, type WellMark } from './marks';
import { STATE_LOOKS, STATES } from './states';

export interface HeatLegend {
  title: string;
  unit?: string | undefined;
  scale: ScaleName;
  limits: Limits | null;
  /** Whether some wells lie below or above the limits. */
  below: boolean;
  above: boolean;
  logarithmic: boolean;
  missing: number;
  /** The fill of wells without a value. */
  hatch: string;
}

function tag(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function swatch(fill: string, ink: string, sign: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '-8 -8 16 16');
  svg.setAttribute('class', 'openhcs-platemap-swatch');
  svg.setAttribute('aria-hidden', 'true');
  const body = document.createElementNS(svg.namespaceURI, 'rect') as SVGRectElement;
  for (const [key, value] of Object.entries({ x: -8, y: -8, width: 16, height: 16, rx: 3, fill })) {
    body.setAttribute(key, String(value));
  }
  const path = document.createElementNS(svg.namespaceURI, 'path') as SVGPathElement;
  path.setAttribute('d', sign);
  path.setAttribute('stroke', ink);
  path.setAttribute('class', 'openhcs-platemap-sign');
  svg.append(body, path);
  return svg;
}

/** Show how many wells are in which state; states that no well is in are left out. */
export function showStates(host: HTMLElement, counts: ReadonlyMap<WellState, number>): void {
  const list = tag('ul', 'openhcs-platemap-states');
  for (const state of STATES) {
    const count = counts.get(state) ?? 0;
    if (count === 0) continue;
    const look = STATE_LOOKS[state];
    const item = tag('li', '');
    item.dataset.state = state;
    item.append(swatch(look.fill, look.ink, look.sign), tag('span', '', `${look.word} (${count})`));
    list.append(item);
  }
  host.replaceChildren(list);
}

/** Show what the colours of a heat map mean. */
export function showScale(host: HTMLElement, heat: HeatLegend): void {
  const box = tag('div', 'openhcs-platemap-scale');
  box.append(tag('span', 'openhcs-platemap-scale-title', heat.unit ? `${heat.title} (${heat.unit})` : heat.title));
  if (heat.limits) {
    const bar = tag('span', 'openhcs-platemap-bar');
    const stops = Array.from({ length: 9 }, (_, index) => scaleColour(heat.scale, index / 8));
    bar.style.background = `linear-gradient(to right, ${stops.join(', ')})`;
    bar.setAttribute('aria-hidden', 'true');
    if (heat.logarithmic) box.append(tag('span', 'openhcs-platemap-log', 'logarithmic'));
    box.append(
      tag('span', 'openhcs-platemap-low', `${heat.below ? '≤ ' : ''}${readable(heat.limits.low)}`),
      bar,
      tag('span', 'openhcs-platemap-high', `${heat.above ? '≥ ' : ''}${readable(heat.limits.high)}`),
    );
  }
  if (heat.missing > 0) {
    const none = tag('span', 'openhcs-platemap-novalue');
    const words = heat.logarithmic ? 'no value above zero' : 'no value';
    none.append(swatch(heat.hatch, NO_VALUE.ink, ''), tag('span', '', `${words} (${heat.missing})`));
    box.append(none);
  }
  host.replaceChildren(box);
}

/** Show what the pictures are, and why some wells have none. */
export function showPictureNotes(
  host: HTMLElement,
  title: string,
  shown: number,
  without: readonly string[],
  hatch: string,
): void {
  const list = tag('ul', 'openhcs-platemap-states');
  list.append(tag('li', '', `${title} (${shown})`));
  for (const why of new Set(without)) {
    const item = tag('li', '');
    const count = without.filter((each) => each === why).length;
    item.append(swatch(hatch, NO_VALUE.ink, ''), tag('span', '', `${why} (${count})`));
    list.append(item);
  }
  host.replaceChildren(list);
}

/** Show what the signs in the corners of wells mean, and how many wells have each. */
export function showMarks(host: HTMLElement, marks: readonly WellMark[]): void {
  const list = tag('ul', 'openhcs-platemap-states');
  for (const mark of MARKS) {
    const count = marks.filter((each) => each === mark).length;
    if (count === 0) continue;
    const look = WELL_MARKS[mark];
    const item = tag('li', '');
    item.dataset.mark = mark;
    item.append(markSwatch(look.path), tag('span', '', `${look.word} (${count})`));
    list.append(item);
  }
  host.hidden = list.children.length === 0;
  host.replaceChildren(list);
}

function markSwatch(shape: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '-4.5 -4.5 9 9');
  svg.setAttribute('class', 'openhcs-platemap-swatch');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(svg.namespaceURI, 'path') as SVGPathElement;
  path.setAttribute('d', shape);
  path.setAttribute('class', 'openhcs-platemap-mark');
  svg.append(path);
  return svg;
}

/** The ink on a well without a value, which is hatched: no colour of the scales resembles that. */
export const NO_VALUE = { ink: '#1a1a1a' } as const;
