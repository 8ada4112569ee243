// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * The SVG of a plate map: made once, and then changed well by well, so that 1536 wells stay smooth.
 *
 * The tree carries the ARIA grid pattern: `svg role=grid` > `g role=row` > headers and `g role=gridcell`. Only this file
 * touches the elements.
 */

import { CELL, cellCorner, drawingSize, HEADER_HEIGHT, HEADER_WIDTH, type Place, rowName, wellName } from './geometry';

const SVG = 'http://www.w3.org/2000/svg';

/** How one well looks and reads at the moment. */
export interface WellLook {
  fill: string;
  ink: string;
  sign: string;
  /** What a screen reader says after the well's name, and the tooltip shows. */
  text: string;
  /** Nothing is known of the well, so a chosen one may show that by its colour as well. */
  plain?: boolean;
}

export interface Drawing {
  readonly svg: SVGSVGElement;
  /** A fill of thin slanted lines, for wells without a value; also good in other drawings of the page. */
  readonly hatch: string;
  /** The element of a well, header (row or column -1) or corner. */
  cell(place: Place): SVGGElement | undefined;
  /** The place of the cell that `target` lies in. */
  placeOf(target: EventTarget | null): Place | undefined;
  paint(well: string, look: WellLook): void;
  /** Draw a small sign (an SVG path in a square from -3 to 3) in the corner of a well; an empty one removes it. */
  setMark(well: string, path: string): void;
  setSelected(well: string, selected: boolean): void;
  /** Let a well step back behind others that stand out. */
  setFaded(well: string, faded: boolean): void;
  /** Fill a well with a part of an image, or with its colour again. */
  setPicture(well: string, picture: WellPicture | null): void;
  /** Draw the rubber band between two points of the drawing, or remove it. */
  showBand(band: { x: number; y: number; width: number; height: number } | null): void;
}

/** A tile of an image that holds the pictures of many wells: its place, and how many tiles the image is wide and high. */
export interface WellPicture {
  address: string;
  column: number;
  line: number;
  columns: number;
  lines: number;
}

export interface DrawingOptions {
  rows: number;
  columns: number;
  /** Names of the wells that the map is about. */
  present: ReadonlySet<string>;
  /** What is said of a well that is not among them. */
  missing: (well: string) => string;
  label: string;
  multiselectable: boolean;
  selectable: boolean;
}

function element<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Record<string, string | number> = {},
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** Two maps may be on one page, and a pattern is found by its id. */
let hatches = 0;

function hatchPattern(id: string): SVGDefsElement {
  const pattern = element('pattern', {
    id,
    width: 4,
    height: 4,
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  });
  pattern.append(
    element('rect', { width: 4, height: 4, fill: '#f7f8f9' }),
    element('rect', { width: 1.1, height: 4, fill: '#7d8894' }),
  );
  const definitions = element('defs', { 'aria-hidden': 'true' });
  definitions.append(pattern);
  return definitions;
}

/** A window of one tile on the whole image; the browser decodes the image once for all wells. */
function pictureOf(picture: WellPicture): SVGSVGElement {
  const frame = element('svg', {
    class: 'openhcs-platemap-picture',
    x: -8,
    y: -8,
    width: 16,
    height: 16,
    viewBox: `${picture.column} ${picture.line} 1 1`,
    'aria-hidden': 'true',
  });
  frame.append(
    element('image', { href: picture.address, width: picture.columns, height: picture.lines, preserveAspectRatio: 'none' }),
  );
  return frame;
}

interface WellParts {
  group: SVGGElement;
  body: SVGElement;
  sign: SVGPathElement;
  title: SVGTitleElement;
}

export function drawPlate(options: DrawingOptions): Drawing {
  const { rows, columns, present, multiselectable, selectable } = options;
  const size = drawingSize(rows, columns);
  const svg = element('svg', {
    class: 'openhcs-platemap-grid',
    viewBox: `0 0 ${size.width} ${size.height}`,
    role: 'grid',
    'aria-label': options.label,
    'aria-rowcount': rows + 1,
    'aria-colcount': columns + 1,
    'aria-multiselectable': String(multiselectable),
  });
  // A page sets how much larger than this the map may grow; a 1536-well plate is large enough as it is.
  svg.style.setProperty('--openhcs-natural-width', `${size.width * (columns > 24 ? 0.6 : 1)}px`);
  hatches += 1;
  const hatch = `openhcs-hatch-${hatches}`;
  svg.append(hatchPattern(hatch));
  const cells = new Map<string, SVGGElement>();
  const wells = new Map<string, WellParts>();
  const key = (place: Place) => `${place.row},${place.column}`;

  function remember(place: Place, group: SVGGElement): void {
    group.dataset.row = String(place.row);
    group.dataset.column = String(place.column);
    group.setAttribute('tabindex', '-1');
    cells.set(key(place), group);
  }

  function header(place: Place, text: string, spoken: string): SVGGElement {
    const { x, y } = cellCorner(place);
    const width = place.column < 0 ? HEADER_WIDTH : CELL;
    const height = place.row < 0 ? HEADER_HEIGHT : CELL;
    const group = element('g', {
      class: 'openhcs-platemap-header',
      role: place.row < 0 ? 'columnheader' : 'rowheader',
      'aria-colindex': place.column + 2,
      'aria-label': spoken,
      transform: `translate(${x} ${y})`,
    });
    const label = element('text', { x: width / 2, y: height / 2, 'aria-hidden': 'true' });
    label.textContent = text;
    group.append(element('rect', { width, height }), label);
    remember(place, group);
    return group;
  }

  function well(place: Place): SVGGElement {
    const name = wellName(place.row, place.column);
    const { x, y } = cellCorner(place);
    const here = present.has(name);
    const group = element('g', {
      class: here ? 'openhcs-platemap-well' : 'openhcs-platemap-well openhcs-platemap-missing',
      role: 'gridcell',
      'aria-colindex': place.column + 2,
      transform: `translate(${x + CELL / 2} ${y + CELL / 2})`,
    });
    if (here && selectable) group.setAttribute('aria-selected', 'false');
    if (!here) group.setAttribute('aria-disabled', 'true');
    group.dataset.well = name;
    // The wells of a 384 or 1536 plate are square, those of the others round.
    const body =
      rows * columns > 96
        ? element('rect', { x: -8.5, y: -8.5, width: 17, height: 17, rx: 2.5 })
        : element('circle', { r: 8.5 });
    body.setAttribute('class', 'openhcs-platemap-body');
    const sign = element('path', { class: 'openhcs-platemap-sign' });
    const title = element('title');
    group.append(title, body, sign);
    remember(place, group);
    wells.set(name, { group, body, sign, title });
    if (!here) label(name, options.missing(name));
    return group;
  }

  function label(name: string, text: string): void {
    const parts = wells.get(name);
    if (!parts) return;
    const spoken = text ? `${name}, ${text}` : name;
    parts.group.setAttribute('aria-label', spoken);
    parts.title.textContent = spoken;
  }

  for (let row = -1; row < rows; row += 1) {
    const line = element('g', { role: 'row', 'aria-rowindex': row + 2 });
    if (row < 0) line.append(header({ row, column: -1 }, selectable && multiselectable ? '⊞' : '', 'all wells'));
    else line.append(header({ row, column: -1 }, rowName(row), `row ${rowName(row)}`));
    for (let column = 0; column < columns; column += 1) {
      const place = { row, column };
      line.append(row < 0 ? header(place, String(column + 1), `column ${column + 1}`) : well(place));
    }
    svg.append(line);
  }
  const band = element('rect', { class: 'openhcs-platemap-band', visibility: 'hidden', 'aria-hidden': 'true' });
  svg.append(band);

  return {
    svg,
    hatch: `url(#${hatch})`,
    cell: (place) => cells.get(key(place)),
    placeOf(target) {
      const group = target instanceof Element ? target.closest<SVGGElement>('g[data-row]') : null;
      if (!group || !svg.contains(group)) return undefined;
      return { row: Number(group.dataset.row), column: Number(group.dataset.column) };
    },
    paint(name, look) {
      const parts = wells.get(name);
      if (!parts || !present.has(name)) return;
      parts.body.setAttribute('fill', look.fill);
      parts.group.classList.toggle('openhcs-platemap-plain', look.plain === true);
      parts.sign.setAttribute('stroke', look.ink);
      parts.sign.setAttribute('d', look.sign);
      label(name, look.text);
    },
    setMark(name, path) {
      const group = wells.get(name)?.group;
      group?.querySelector('.openhcs-platemap-mark')?.remove();
      if (path) group?.append(element('path', { class: 'openhcs-platemap-mark', transform: 'translate(6 -6)', d: path }));
    },
    setSelected(name, selected) {
      wells.get(name)?.group.setAttribute('aria-selected', String(selected));
    },
    setFaded(name, faded) {
      wells.get(name)?.group.classList.toggle('openhcs-platemap-faded', faded);
    },
    setPicture(name, picture) {
      const parts = wells.get(name);
      if (!parts) return;
      parts.group.querySelector('.openhcs-platemap-picture')?.remove();
      if (picture) parts.body.after(pictureOf(picture));
    },
    showBand(box) {
      band.setAttribute('visibility', box ? 'visible' : 'hidden');
      if (!box) return;
      for (const [attribute, value] of Object.entries(box)) band.setAttribute(attribute, String(value));
    },
  };
}
