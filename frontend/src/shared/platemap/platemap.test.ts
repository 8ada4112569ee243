// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { WellState } from '../contracts';
import { fractionWithin, inkOn, limitsOf, robustLimits, scaleColour } from './colourscale';
import { CELL, drawingSize, HEADER_HEIGHT, HEADER_WIDTH, standardFormat, wellName, wellPlace } from './geometry';
import { createPlateMap, type PlateMap, type PlateMapOptions } from './index';
import { STATE_LOOKS, STATES } from './states';

function allWells(rows: number, columns: number): string[] {
  return Array.from({ length: rows * columns }, (_, n) => wellName(Math.floor(n / columns), n % columns));
}

let host: HTMLElement;
beforeEach(() => {
  document.body.replaceChildren();
  host = document.body.appendChild(document.createElement('div'));
});

function plate(options: Partial<PlateMapOptions> = {}): PlateMap {
  const rows = options.rows ?? 3;
  const columns = options.columns ?? 4;
  return createPlateMap(host, {
    rows,
    columns,
    wells: allWells(rows, columns),
    label: 'Wells',
    selection: 'multiple',
    ...options,
  });
}

function cell(name: string): SVGGElement {
  const found = host.querySelector<SVGGElement>(`[data-well="${name}"]`);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

function header(row: number, column: number): SVGGElement {
  return host.querySelector(`g[data-row="${row}"][data-column="${column}"]`) as SVGGElement;
}

function press(key: string, modifiers: KeyboardEventInit = {}): boolean {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...modifiers });
  (document.activeElement as Element).dispatchEvent(event);
  return event.defaultPrevented;
}

function click(target: Element, modifiers: MouseEventInit = {}): void {
  target.dispatchEvent(new MouseEvent('click', { bubbles: true, ...modifiers }));
}

describe('names of wells', () => {
  it.each([
    [0, 0, 'A01'],
    [7, 11, 'H12'],
    [31, 47, 'AF48'],
    [26, 0, 'AA01'],
  ])('row %i, column %i is %s', (row, column, name) => {
    expect(wellName(row, column)).toBe(name);
    expect(wellPlace(name)).toEqual({ row, column });
  });

  it('refuses what is not a well', () => {
    for (const name of ['', 'A0', '12', 'ABC1', 'A1000']) expect(() => wellPlace(name)).toThrow(RangeError);
  });

  it.each([6, 12, 24, 48, 96, 384, 1536])('knows the %i-well plate', (count) => {
    const format = standardFormat(count);
    expect((format?.rows ?? 0) * (format?.columns ?? 0)).toBe(count);
  });
});

describe('looks', () => {
  it('gives every state a readable sign of its own', () => {
    expect(new Set(STATES.map((state) => STATE_LOOKS[state].sign)).size).toBe(STATES.length);
    for (const state of STATES) {
      expect(contrast(STATE_LOOKS[state].fill, STATE_LOOKS[state].ink), state).toBeGreaterThan(4.5);
    }
  });

  it('reads the colour scales as Matplotlib defines them', () => {
    expect(scaleColour('viridis', 0)).toBe('#440154');
    expect(scaleColour('viridis', 0.5)).toBe('#21918c');
    expect(scaleColour('viridis', 7)).toBe('#fde725');
    expect(scaleColour('cividis', 1)).toBe('#fee838');
    expect(inkOn('#440154')).toBe('#ffffff');
    expect(inkOn('#fde725')).toBe('#1a1a1a');
  });

  it('takes limits that one odd well does not spoil', () => {
    const values = Array.from({ length: 100 }, (_, n) => n);
    expect(robustLimits([...values, 1e9, null, Number.NaN])?.high).toBeLessThan(101);
    expect(robustLimits([1, 2, 50])).toEqual({ low: 1, high: 50 });
    expect(robustLimits([null, undefined])).toBeNull();
    expect(robustLimits([...Array(99).fill(5), 9])).toEqual({ low: 5, high: 9 });
  });
});

describe('limits of a heat map', () => {
  it('leave out the odd wells of a 96-well plate, or take all of them', () => {
    const values = [...Array.from({ length: 94 }, (_, n) => 10 + n), 1e9, -1e9];
    expect(limitsOf(values, 'robust')).toEqual({ low: 10, high: 103 });
    expect(limitsOf(values, 'full')).toEqual({ low: -1e9, high: 1e9 });
    expect(limitsOf(values, { low: 1, high: 2 })).toEqual({ low: 1, high: 2 });
  });

  it('exist only where there are values', () => {
    for (const choice of ['robust', 'full', { low: 0, high: 1 }] as const) {
      expect(limitsOf([null, undefined, Number.NaN], choice)).toBeNull();
      expect(limitsOf([0, -5], choice, true)).toBeNull();
    }
  });

  it('begin above zero on a logarithmic scale', () => {
    expect(limitsOf([0, 1, 100], 'full', true)).toEqual({ low: 1, high: 100 });
    expect(limitsOf([0, 3, 100], { low: 0, high: 50 }, true)).toEqual({ low: 3, high: 50 });
    expect(fractionWithin(10, { low: 1, high: 100 }, true)).toBeCloseTo(0.5);
    expect(fractionWithin(10, { low: 0, high: 100 })).toBeCloseTo(0.1);
    expect(fractionWithin(7, { low: 7, high: 7 }, true)).toBe(0.5);
  });
});

describe('grid', () => {
  it('carries the ARIA grid pattern with one tab stop', () => {
    plate({ wells: ['A01', 'B02'] });
    const grid = host.querySelector('svg') as SVGSVGElement;
    expect(grid.getAttribute('role')).toBe('grid');
    expect(grid.getAttribute('aria-label')).toBe('Wells');
    expect(grid.querySelectorAll('[role=row]')).toHaveLength(4);
    expect(grid.querySelectorAll('[role=gridcell]')).toHaveLength(12);
    expect(grid.querySelectorAll('[role=columnheader]')).toHaveLength(5);
    expect(grid.querySelectorAll('[role=rowheader]')).toHaveLength(3);
    expect(grid.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    expect(cell('A02').getAttribute('aria-label')).toBe('A02, no images');
    expect(cell('A02').getAttribute('aria-disabled')).toBe('true');
    expect(cell('A02').hasAttribute('aria-selected')).toBe(false);
  });

  it('says why a well is missing in the words of the page', () => {
    plate({ wells: ['A01'], missing: (well) => (well === 'A02' ? 'not in this run' : 'no images') });
    expect(cell('A02').getAttribute('aria-label')).toBe('A02, not in this run');
    expect(cell('A02').querySelector('title')?.textContent).toBe('A02, not in this run');
    expect(cell('B01').getAttribute('aria-label')).toBe('B01, no images');
  });

  it('changes one well without making others again', () => {
    const map = plate();
    const before = host.querySelectorAll('[data-well]');
    const changed: string[] = [];
    const watcher = new MutationObserver((list) => {
      for (const { target } of list) changed.push((target as Element).closest('[data-well]')?.getAttribute('data-well') ?? '?');
    });
    watcher.observe(host.querySelector('svg') as Node, { subtree: true, attributes: true, childList: true });
    map.setState('B03', 'running', 'step 2 of 4: Segment');
    for (const { target } of watcher.takeRecords()) {
      changed.push((target as Element).closest('[data-well]')?.getAttribute('data-well') ?? '?');
    }
    expect(new Set(changed)).toEqual(new Set(['B03']));
    expect([...host.querySelectorAll('[data-well]')]).toEqual([...before]);
    expect(cell('B03').getAttribute('aria-label')).toBe('B03, running, step 2 of 4: Segment');
  });

  it('counts the states in the legend', async () => {
    const map = plate();
    const states: [string, WellState][] = [
      ['A01', 'waiting'],
      ['A02', 'waiting'],
      ['A01', 'done'],
    ];
    for (const [well, state] of states) map.setState(well, state);
    await Promise.resolve();
    const items = [...host.querySelectorAll('.openhcs-platemap-states li')].map((item) => item.textContent);
    expect(items).toEqual(['waiting (1)', 'done (1)']);
  });

  it('draws and updates 1536 wells', () => {
    const map = plate({ rows: 32, columns: 48 });
    expect(host.querySelectorAll('[role=gridcell]')).toHaveLength(1536);
    for (const well of allWells(32, 48)) map.setState(well, 'done');
    expect(cell('AF48').getAttribute('aria-label')).toBe('AF48, done');
  }, 30_000);
});

describe('keyboard', () => {
  it('moves the one tab stop with the arrows, onto the headers and no further', () => {
    const map = plate();
    map.focus('A01');
    press('ArrowRight');
    press('ArrowDown');
    expect(document.activeElement).toBe(cell('B02'));
    expect(host.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    for (let n = 0; n < 5; n += 1) press('ArrowUp');
    expect(document.activeElement).toBe(header(-1, 1));
    press('End', { ctrlKey: true });
    expect(document.activeElement).toBe(cell('C04'));
    press('Home');
    expect(document.activeElement).toBe(cell('C01'));
    expect(press('Tab')).toBe(false);
  });

  it('chooses with space, extends with shift, and takes all or none', () => {
    const onSelectionChange = vi.fn();
    const map = plate({ onSelectionChange });
    map.focus('A01');
    press(' ');
    expect(map.selection).toEqual(['A01']);
    press('ArrowRight', { shiftKey: true });
    press('ArrowDown', { shiftKey: true });
    expect(map.selection).toEqual(['A01', 'A02', 'B01', 'B02']);
    press(' ');
    expect(map.selection).toEqual(['A01', 'A02', 'B01']);
    press('a', { ctrlKey: true });
    expect(map.selection).toHaveLength(12);
    press('Escape');
    expect(map.selection).toEqual([]);
    expect(onSelectionChange).toHaveBeenLastCalledWith([]);
  });

  it('opens a well with Enter, but not a missing one', () => {
    const onOpen = vi.fn();
    const map = plate({ wells: ['A01'], onOpen });
    map.focus('A01');
    press('Enter');
    press('ArrowRight');
    press('Enter');
    expect(onOpen.mock.calls).toEqual([['A01']]);
  });

  it('chooses a row with the space bar on its header', () => {
    const map = plate({ wells: ['B01', 'B03', 'C01'] });
    map.focus('B01');
    press('ArrowLeft');
    press(' ');
    expect(map.selection).toEqual(['B01', 'B03']);
    press(' ');
    expect(map.selection).toEqual([]);
  });
});

describe('mouse', () => {
  it('chooses, toggles and extends by clicking', () => {
    const map = plate();
    click(cell('A01'));
    click(cell('C04'), { ctrlKey: true });
    expect(map.selection).toEqual(['A01', 'C04']);
    click(cell('B03'), { shiftKey: true });
    expect(map.selection).toEqual(['B03', 'B04', 'C03', 'C04']);
    click(header(-1, 0));
    expect(map.selection).toEqual(['A01', 'B01', 'C01']);
    click(header(-1, 1), { shiftKey: true });
    expect(map.selection).toHaveLength(6);
    click(header(-1, -1));
    expect(map.selection).toHaveLength(12);
    expect(cell('A01').getAttribute('aria-selected')).toBe('true');
  });

  it('chooses a rectangle by dragging, and the click behind it changes nothing', () => {
    const map = plate({ wells: allWells(3, 4).filter((well) => well !== 'B02') });
    const svg = host.querySelector('svg') as SVGSVGElement;
    const { width, height } = drawingSize(3, 4);
    // Drawn at twice its size.
    vi.spyOn(svg, 'getBoundingClientRect').mockReturnValue(new DOMRect(10, 10, 2 * width, 2 * height));
    const at = (row: number, column: number) => ({
      clientX: 10 + 2 * (HEADER_WIDTH + (column + 0.5) * CELL),
      clientY: 10 + 2 * (HEADER_HEIGHT + (row + 0.5) * CELL),
    });
    const send = (type: string, target: Element, where: { clientX: number; clientY: number }) =>
      target.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, pointerId: 1, pointerType: 'mouse', ...where }));
    send('pointerdown', cell('A01'), at(0, 0));
    send('pointermove', svg, at(1, 1));
    expect(host.querySelector('.openhcs-platemap-band')?.getAttribute('visibility')).toBe('visible');
    send('pointermove', svg, at(1, 2));
    send('pointermove', svg, at(1, 1));
    send('pointerup', svg, at(1, 1));
    click(cell('C04'));
    expect(map.selection).toEqual(['A01', 'A02', 'B01']);
    expect(host.querySelector('.openhcs-platemap-band')?.getAttribute('visibility')).toBe('hidden');
  });

  it('keeps to one well in single mode and to none without selection', () => {
    const single = plate({ selection: 'single' });
    click(cell('A01'));
    click(cell('B02'), { ctrlKey: true });
    click(header(-1, -1));
    expect(single.selection).toEqual(['B02']);
    single.destroy();
    expect(host.children).toHaveLength(0);
    const onOpen = vi.fn();
    const none = plate({ selection: 'none', onOpen });
    click(cell('A02'));
    expect(none.selection).toEqual([]);
    expect(onOpen).toHaveBeenCalledWith('A02');
  });
});

describe('heat map', () => {
  const fill = (name: string) => cell(name).querySelector('.openhcs-platemap-body')?.getAttribute('fill');

  it('colours values, tells missing ones apart, and goes back to the states', async () => {
    const map = plate();
    map.setState('A03', 'failed');
    map.setState('A01', 'done');
    map.showHeatMap({
      title: 'Nuclei',
      unit: 'cells',
      values: new Map([
        ['A01', 0],
        ['A02', 100],
      ]),
    });
    await Promise.resolve();
    expect(fill('A01')).toBe('#440154');
    expect(fill('A02')).toBe('#fde725');
    expect(cell('A02').getAttribute('aria-label')).toBe('A02, Nuclei: 100 cells');
    expect(cell('A03').getAttribute('aria-label')).toBe('A03, Nuclei: no value, failed');
    expect(host.querySelector('.openhcs-platemap-novalue')?.textContent).toBe('no value (10)');
    map.showHeatMap(null);
    expect(fill('A01')).toBe(STATE_LOOKS.done.fill);
  });

  it('says in the legend that wells lie beyond the limits', async () => {
    const map = plate();
    map.showHeatMap({ title: 'Area', values: new Map([['A01', 5]]), limits: { low: 10, high: 20 }, scale: 'cividis' });
    await Promise.resolve();
    expect(host.querySelector('.openhcs-platemap-low')?.textContent).toBe('≤ 10');
    expect(host.querySelector('.openhcs-platemap-high')?.textContent).toBe('20');
    expect(fill('A01')).toBe('#00224e');
  });

  it('hatches wells without a value and says which have no logarithm', async () => {
    const map = plate();
    map.showHeatMap({
      title: 'Spots',
      logarithmic: true,
      limits: 'full',
      values: new Map([
        ['A01', 0],
        ['A02', 1],
        ['A03', 100],
        ['A04', 10],
      ]),
    });
    await Promise.resolve();
    const hatch = fill('B01');
    expect(hatch).toMatch(/^url\(#openhcs-hatch-\d+\)$/);
    expect(document.querySelector(hatch?.slice(4, -1) ?? '')?.tagName).toBe('pattern');
    expect([fill('A01'), fill('A02'), fill('A03')]).toEqual([hatch, '#440154', '#fde725']);
    expect(fill('A04')).toBe(scaleColour('viridis', 0.5));
    expect(cell('A01').getAttribute('aria-label')).toBe('A01, Spots: 0, not on a logarithmic scale');
    expect(host.querySelector('.openhcs-platemap-novalue')?.textContent).toBe('no value above zero (9)');
  });

  it('marks controls by a shape, in words, and in the legend', () => {
    const map = plate({ wells: ['A01', 'A02', 'A03'] });
    map.setState('A01', 'done');
    map.setMarks(new Map([['A01', 'positive'] as const, ['A02', 'negative'] as const, ['C04', 'empty'] as const]));
    const marks = () => [...host.querySelectorAll('[data-well] .openhcs-platemap-mark')];
    expect(marks()).toHaveLength(2);
    expect(new Set(marks().map((mark) => mark.getAttribute('d'))).size).toBe(2);
    expect(cell('A01').getAttribute('aria-label')).toBe('A01, positive control, done');
    expect(cell('A02').getAttribute('aria-label')).toBe('A02, negative control');
    expect([...host.querySelectorAll('[data-mark]')].map((item) => item.textContent)).toEqual([
      'positive control (1)',
      'negative control (1)',
    ]);
    map.setState('A01', 'failed', 'no images');
    expect(cell('A01').getAttribute('aria-label')).toBe('A01, positive control, failed, no images');
    map.setMarks(new Map([['A02', 'negative'] as const]));
    expect(cell('A01').getAttribute('aria-label')).toBe('A01, failed, no images');
    expect(marks()).toHaveLength(1);
  });

  it('takes single values as they arrive', () => {
    const map = plate();
    map.showHeatMap({ title: 'Area', values: new Map(), limits: { low: 0, high: 1 } });
    map.setValue('C01', 1);
    expect(fill('C01')).toBe('#fde725');
    map.setValue('C01', null);
    expect(cell('C01').getAttribute('aria-label')).toBe('C01, Area: no value');
  });

  it('follows the limits of values that arrive together once, and then rests', () => {
    vi.useFakeTimers();
    try {
      const map = plate();
      map.showHeatMap({
        title: 'Area',
        values: new Map([
          ['A01', 0],
          ['A02', 1],
        ]),
        limits: 'full',
      });
      const brightest = fill('A02');
      map.setValue('C01', 5);
      map.setValue('C02', 10);
      vi.advanceTimersByTime(1);
      expect(fill('C02')).toBe(brightest);
      expect(fill('A02')).not.toBe(brightest);
      map.setValue('C03', 100);
      vi.advanceTimersByTime(100);
      expect(fill('C02')).toBe(brightest); // not again so soon
      vi.advanceTimersByTime(200);
      expect(fill('C02')).not.toBe(brightest);
      map.destroy();
    } finally {
      vi.useRealTimers();
    }
  });
});

function contrast(one: string, other: string): number {
  const luminance = (hex: string) => {
    const value = Number.parseInt(hex.slice(1), 16);
    const [r, g, b] = [value >> 16, (value >> 8) & 255, value & 255].map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}
