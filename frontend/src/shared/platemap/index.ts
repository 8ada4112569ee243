// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The plate map: an accessible SVG grid of wells to choose from, to watch a run in, and to read a measurement off.
 *
 * With the keyboard: arrows move, also onto the row and column headers; Home and End go to the ends of a row (with Ctrl of
 * the plate); Space chooses, with Shift the block since the last choice; Shift and arrows extend the block; Ctrl+A chooses
 * all, Escape none; Enter opens the well. With the mouse: click, Ctrl-click, Shift-click, click a header, drag a rectangle.
 */

import type { WellState } from '../contracts';
import {
  fractionWithin,
  inkOn,
  isShowable,
  type LimitChoice,
  type Limits,
  limitsOf,
  readable,
  type ScaleName,
  scaleColour,
} from './colourscale';
import { drawPlate, type WellLook, type WellPicture } from './drawing';
import { wellName, wellPlace } from './geometry';
import { attachInput } from './input';
import { NO_VALUE, showMarks, showPictureNotes, showScale, showStates } from './legend';
import { WELL_MARKS, type WellMark } from './marks';
import { createSelection, type SelectionMode } from './selection';
import { STATE_LOOKS } from './states';
import './platemap.css';

export type { WellPicture } from './drawing';
export { type LimitChoice, type Limits, robustLimits, type ScaleName } from './colourscale';
export type { WellMark } from './marks';
export { rowName, standardFormat, wellName, wellPlace } from './geometry';
export type { SelectionMode } from './selection';

export interface PlateMapOptions {
  rows: number;
  columns: number;
  /** Names of the wells that the map is about; the others are drawn as missing and cannot be chosen. */
  wells: Iterable<string>;
  /** Why a well is missing, for its tooltip and screen readers. Default: "no images". */
  missing?: (well: string) => string;
  /** What the grid is called for screen readers, for example "Wells of plate P1". */
  label: string;
  /** Default `none`. */
  selection?: SelectionMode;
  selected?: Iterable<string>;
  onSelectionChange?: (wells: string[]) => void;
  /** Enter or double click on a well that is not missing; in a map without selection also a single click. */
  onOpen?: (well: string) => void;
}

export interface HeatMap {
  title: string;
  unit?: string;
  values: ReadonlyMap<string, number | null>;
  scale?: ScaleName;
  /** Default: robust limits. Those that follow from the values are kept up as values arrive. */
  limits?: LimitChoice;
  /** Colours by the logarithm of the values; those that have none are shown as wells without a value. */
  logarithmic?: boolean;
}

export interface PlateMap {
  readonly element: HTMLElement;
  /** The chosen wells, row by row. */
  readonly selection: string[];
  select(wells: Iterable<string>): void;
  /** Change one well's state; `detail` follows the state in the tooltip, for example "step 2 of 4: Segment". */
  setState(well: string, state: WellState, detail?: string): void;
  /** Show a measurement instead of the states, or the states again with null. */
  showHeatMap(heat: HeatMap | null): void;
  /** Change one value of the heat map that is shown. Repaints the others only when that moves the limits. */
  setValue(well: string, value: number | null): void;
  /** Show pictures instead of states and values; `absent` is said of wells without one. With null no pictures any more. */
  showPictures(pictures: { title: string; absent: string } | null): void;
  /** Add pictures of wells to those that are shown, and what to say of wells that can have none. */
  addPictures(pictures: ReadonlyMap<string, WellPicture>, notes: ReadonlyMap<string, string>): void;
  /** Let these wells stand out from the others, or all alike with null. */
  setHighlighted(wells: ReadonlySet<string> | null): void;
  /** Show which wells are controls or empty, by a small sign; wells that are not in it have none. */
  setMarks(marks: ReadonlyMap<string, WellMark>): void;
  focus(well: string): void;
  destroy(): void;
}

/** Milliseconds between two changes of the colours of all wells while values arrive. */
const LIMITS_REST = 250;

const PLAIN: WellLook = { fill: '#dbe6f0', ink: '#1a1a1a', sign: '', text: '', plain: true };

/** Draw a plate map at the end of `host`. */
export function createPlateMap(host: HTMLElement, options: PlateMapOptions): PlateMap {
  const mode = options.selection ?? 'none';
  const present = new Set(options.wells);
  const drawing = drawPlate({
    rows: options.rows,
    columns: options.columns,
    present,
    missing: options.missing ?? (() => 'no images'),
    label: options.label,
    multiselectable: mode === 'multiple',
    selectable: mode !== 'none',
  });
  const selection = createSelection(mode, present);
  const states = new Map<string, { state: WellState; detail: string }>();
  const counts = new Map<WellState, number>();
  let marks: ReadonlyMap<string, WellMark> = new Map();
  let pictures: { title: string; absent: string; shown: Set<string>; notes: Map<string, string> } | null = null;
  let highlighted: ReadonlySet<string> | null = null;
  let heat: { map: HeatMap; values: Map<string, number | null>; limits: Limits | null } | null = null;

  const element = document.createElement('div');
  element.className = 'openhcs-platemap';
  const legend = document.createElement('div');
  legend.className = 'openhcs-platemap-legend';
  const markLegend = document.createElement('div');
  markLegend.className = 'openhcs-platemap-legend openhcs-platemap-marks';
  markLegend.hidden = true;
  element.append(drawing.svg, legend, markLegend);
  host.append(element);

  function lookOf(well: string): WellLook {
    const known = states.get(well);
    const stateText = known ? [STATE_LOOKS[known.state].word, known.detail].filter(Boolean).join(', ') : '';
    if (pictures) {
      const sign = known?.state === 'failed' ? STATE_LOOKS.failed.sign : '';
      if (pictures.shown.has(well)) return { fill: '#000000', ink: '#ffffff', sign, text: pictures.title };
      const why = pictures.notes.get(well) ?? pictures.absent;
      const said = known && known.state !== 'done' && !pictures.notes.has(well) ? `${why}, ${stateText}` : why;
      return { fill: drawing.hatch, ink: NO_VALUE.ink, sign, text: `${pictures.title}: ${said}` };
    }
    if (!heat) return known ? { ...STATE_LOOKS[known.state], text: stateText } : PLAIN;
    const { map, values, limits } = heat;
    const value = values.get(well);
    if (!isShowable(value, map.logarithmic) || !limits) {
      // A well that failed keeps its cross: "no value" alone would hide why.
      const sign = known?.state === 'failed' ? STATE_LOOKS.failed.sign : '';
      const why = known && known.state !== 'done' ? `, ${stateText}` : '';
      const said = isShowable(value) ? `${readable(value)}, not on a logarithmic scale` : 'no value';
      return { fill: drawing.hatch, ink: NO_VALUE.ink, sign, text: `${map.title}: ${said}${why}` };
    }
    const fill = scaleColour(map.scale ?? 'viridis', fractionWithin(value, limits, map.logarithmic));
    return { fill, ink: inkOn(fill), sign: '', text: `${map.title}: ${readable(value)}${map.unit ? ` ${map.unit}` : ''}` };
  }

  function paint(well: string): void {
    const look = lookOf(well);
    const mark = marks.get(well);
    const chosen = highlighted?.has(well) ? 'holds chosen rows' : '';
    const text = [mark && WELL_MARKS[mark].word, look.text, chosen].filter(Boolean).join(', ');
    drawing.paint(well, { ...look, text });
  }

  function paintAll(): void {
    for (const well of present) paint(well);
  }

  // Events of many wells arrive together; the legend is written once for all of them.
  let legendDue = false;
  function updateLegend(): void {
    if (legendDue) return;
    legendDue = true;
    queueMicrotask(() => {
      legendDue = false;
      writeLegend();
    });
  }

  // New values may move the limits, and with them the colour of every well: that is looked at once for all values that
  // arrive together, and not more often than people can follow.
  let limitsDue: ReturnType<typeof setTimeout> | undefined;
  let limitsMovedAt = Number.NEGATIVE_INFINITY;
  function followLimits(): void {
    if (limitsDue !== undefined) return;
    const wait = Math.max(0, limitsMovedAt + LIMITS_REST - performance.now());
    limitsDue = setTimeout(() => {
      limitsDue = undefined;
      if (!heat) return;
      const limits = limitsFor(heat.map, heat.values.values());
      const moved = limits?.low !== heat.limits?.low || limits?.high !== heat.limits?.high;
      heat.limits = limits;
      if (moved) {
        limitsMovedAt = performance.now();
        paintAll();
      }
      updateLegend();
    }, wait);
  }

  function writeLegend(): void {
    if (pictures) {
      const { title, absent, shown, notes } = pictures;
      const without = [...present].filter((well) => !shown.has(well)).map((well) => notes.get(well) ?? absent);
      showPictureNotes(legend, title, shown.size, without, drawing.hatch);
      return;
    }
    if (!heat) {
      showStates(legend, counts);
      return;
    }
    const { map, values, limits } = heat;
    const numbers = [...present].map((well) => values.get(well)).filter((value) => isShowable(value, map.logarithmic));
    showScale(legend, {
      title: map.title,
      unit: map.unit,
      scale: map.scale ?? 'viridis',
      limits,
      below: limits !== null && numbers.some((value) => value < limits.low),
      above: limits !== null && numbers.some((value) => value > limits.high),
      logarithmic: map.logarithmic ?? false,
      missing: present.size - numbers.length,
      hatch: drawing.hatch,
    });
  }

  function chosen(): string[] {
    return [...selection.wells].sort((one, other) => {
      const [a, b] = [wellPlace(one), wellPlace(other)];
      return a.row - b.row || a.column - b.column;
    });
  }

  function showSelection(changed: string[], tell: boolean): void {
    for (const well of changed) drawing.setSelected(well, selection.has(well));
    if (tell && changed.length > 0) options.onSelectionChange?.(chosen());
  }

  const input = attachInput(drawing, {
    rows: options.rows,
    columns: options.columns,
    mode,
    selection,
    onChange: (changed) => showSelection(changed, true),
    onOpen: (place) => {
      const well = wellName(place.row, place.column);
      if (present.has(well)) options.onOpen?.(well);
    },
  });

  paintAll();
  showSelection(selection.set(options.selected ?? []), false);

  return {
    element,
    get selection() {
      return chosen();
    },
    select: (wells) => showSelection(selection.set(wells), false),
    setState(well, state, detail = '') {
      if (!present.has(well)) return;
      const before = states.get(well);
      if (before) counts.set(before.state, (counts.get(before.state) ?? 1) - 1);
      counts.set(state, (counts.get(state) ?? 0) + 1);
      states.set(well, { state, detail });
      paint(well);
      updateLegend();
    },
    showHeatMap(map) {
      heat = map && { map, values: new Map(map.values), limits: limitsFor(map, map.values.values()) };
      paintAll();
      updateLegend();
    },
    setValue(well, value) {
      if (!heat || !present.has(well)) return;
      heat.values.set(well, value);
      heat.limits ??= limitsFor(heat.map, heat.values.values());
      paint(well);
      followLimits();
    },
    showPictures(next) {
      if (pictures) for (const well of pictures.shown) drawing.setPicture(well, null);
      pictures = next && { ...next, shown: new Set(), notes: new Map() };
      paintAll();
      updateLegend();
    },
    addPictures(more, notes) {
      if (!pictures) return;
      for (const [well, note] of notes) {
        pictures.notes.set(well, note);
        if (present.has(well)) paint(well);
      }
      for (const [well, picture] of more) {
        if (!present.has(well)) continue;
        pictures.shown.add(well);
        drawing.setPicture(well, picture);
        paint(well);
      }
      updateLegend();
    },
    setHighlighted(wells) {
      highlighted = wells;
      for (const well of present) {
        drawing.setFaded(well, wells !== null && !wells.has(well));
        paint(well);
      }
    },
    setMarks(next) {
      const before = marks;
      marks = next;
      for (const well of present) {
        if (before.get(well) === next.get(well)) continue;
        const mark = next.get(well);
        drawing.setMark(well, mark ? WELL_MARKS[mark].path : '');
        paint(well);
      }
      showMarks(
        markLegend,
        [...next].filter(([well]) => present.has(well)).map(([, mark]) => mark),
      );
    },
    focus: (well) => input.focus(wellPlace(well)),
    destroy() {
      clearTimeout(limitsDue);
      input.detach();
      element.remove();
    },
  };
}

function limitsFor(map: HeatMap, values: Iterable<number | null>): Limits | null {
  return limitsOf(values, map.limits ?? 'robust', map.logarithmic);
}
