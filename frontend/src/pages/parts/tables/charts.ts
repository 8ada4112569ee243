// SPDX-License-Identifier: AGPL-3.0-or-later
/** A histogram of a column and a scatter plot of two, with uPlot. What they show is also said in words beside them. */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { readable, scaleColour } from '../../../shared/platemap/colourscale';
import type { ColumnHistogram, PointDensity, Rectangle, TablePoints } from './question';

const HEIGHT = 260;
const INK = '#1b659c';
const MARKED = '#a63f00';
/** A drag of fewer pixels is a click. */
const SMALLEST_DRAG = 6;
/** How near to a point a click must be, in pixels. */
const REACH = 10;

/** The longest label that an axis of this height has room for; the whole title stands beside the chart. */
const LONGEST_LABEL = 30;

function shortened(title: string): string {
  return title.length > LONGEST_LABEL ? `${title.slice(0, LONGEST_LABEL - 1)}…` : title;
}

export interface Chart {
  destroy(): void;
}

function widthOf(host: HTMLElement): number {
  return Math.max(240, host.clientWidth);
}

/** Keep the width of a chart that of its host. */
function fitted(chart: uPlot, host: HTMLElement): Chart {
  const observer =
    typeof ResizeObserver === 'undefined'
      ? undefined
      : new ResizeObserver(() => chart.setSize({ width: widthOf(host), height: HEIGHT }));
  observer?.observe(host);
  return {
    destroy() {
      observer?.disconnect();
      chart.destroy();
    },
  };
}

/** Bars from edge to edge, as a stepped line that is filled. */
export function histogramData(histogram: ColumnHistogram): [number[], number[]] {
  const { edges, counts } = histogram;
  // The last count is repeated, because a step goes on to the next position.
  return [edges, [...counts, counts[counts.length - 1] ?? 0]];
}

export function drawHistogram(host: HTMLElement, histogram: ColumnHistogram, title: string): Chart {
  const [edges, counts] = histogramData(histogram);
  const chart = new uPlot(
    {
      width: widthOf(host),
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: (_, __, high) => [0, Math.max(1, high) * 1.05] } },
      axes: [
        { label: title, labelSize: 22 },
        { label: 'rows', labelSize: 22, size: 56 },
      ],
      series: [
        {},
        {
          stroke: INK,
          fill: 'rgb(27 101 156 / 35%)',
          ...(uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
          points: { show: false },
        },
      ],
    },
    [edges, counts],
    host,
  );
  return fitted(chart, host);
}

export interface ScatterOptions {
  titles: { x: string; y: string };
  columns: { x: string; y: string };
  /** Points of this well are marked. */
  well: string | null;
  /** Draw the line on which both values are equal. */
  diagonal?: boolean;
  onRectangle: (chosen: Rectangle) => void;
  /** A point was clicked: its place in the points. */
  onPoint: (index: number) => void;
}

/** Points in order of x, which uPlot requires, with the place that each had before. */
export function scatterOrder(points: TablePoints): number[] {
  return points.x.map((_, index) => index).sort((one, other) => (points.x[one] as number) - (points.x[other] as number));
}

/** A span of an axis around these limits; around a single value, one of that value's own size. */
export function spanAround(low: number, high: number): [number, number] {
  const margin = high > low ? (high - low) * 0.04 : Math.max(Math.abs(low), 1) * 0.5;
  return [low - margin, high + margin];
}

function limits(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

export function drawScatter(host: HTMLElement, points: TablePoints, options: ScatterOptions): Chart {
  const order = scatterOrder(points);
  const xs = order.map((index) => points.x[index] as number);
  const ys = order.map((index) => points.y[index] as number);
  const marked = order.map((index, place) =>
    options.well !== null && points.wells[points.well[index] as number] === options.well ? (ys[place] as number) : null,
  );
  const density = points.density;
  const [xLow, xHigh] = density ? [density.x_low, density.x_high] : limits(points.x);
  const [yLow, yHigh] = density ? [density.y_low, density.y_high] : limits(points.y);
  const dots = (colour: string, size: number) => ({
    stroke: colour,
    paths: () => null,
    points: { show: true, size, fill: colour, stroke: colour, width: 0 },
  });
  const chart = new uPlot(
    {
      width: widthOf(host),
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: true, y: true, setScale: false, dist: SMALLEST_DRAG }, points: { show: false } },
      scales: {
        x: { time: false, range: spanAround(xLow, xHigh) },
        y: { range: spanAround(yLow, yHigh) },
      },
      axes: [
        { label: options.titles.x, labelSize: 22 },
        { label: shortened(options.titles.y), labelSize: 22, size: 60 },
      ],
      series: [{}, dots(density ? 'rgb(27 101 156 / 25%)' : 'rgb(27 101 156 / 65%)', density ? 2 : 5), dots(MARKED, 6)],
      hooks: {
        drawClear: [(plot) => density && drawDensity(plot, density)],
        draw: [(plot) => options.diagonal && drawDiagonal(plot)],
        setSelect: [
          (plot) => {
            const { left, top, width, height } = plot.select;
            if (width < SMALLEST_DRAG && height < SMALLEST_DRAG) return;
            options.onRectangle({
              ...options.columns,
              left: plot.posToVal(left, 'x'),
              right: plot.posToVal(left + width, 'x'),
              low: plot.posToVal(top + height, 'y'),
              high: plot.posToVal(top, 'y'),
            });
          },
        ],
        ready: [
          (plot) =>
            plot.over.addEventListener('click', () => {
              const { left = -1, top = -1 } = plot.cursor;
              if (plot.select.width >= SMALLEST_DRAG || plot.select.height >= SMALLEST_DRAG) return;
              const place = nearest(plot, xs, ys, left, top);
              if (place !== null) options.onPoint(order[place] as number);
            }),
        ],
      },
    },
    [xs, ys, marked],
    host,
  );
  return fitted(chart, host);
}

function nearest(plot: uPlot, xs: readonly number[], ys: readonly number[], left: number, top: number): number | null {
  let best: number | null = null;
  let shortest = REACH ** 2;
  for (let index = 0; index < xs.length; index += 1) {
    const distance =
      (plot.valToPos(xs[index] as number, 'x') - left) ** 2 + (plot.valToPos(ys[index] as number, 'y') - top) ** 2;
    if (distance <= shortest) {
      best = index;
      shortest = distance;
    }
  }
  return best;
}

/** The line of equal values, as far as both axes show it. */
function drawDiagonal(plot: uPlot): void {
  const low = Math.max(plot.scales.x?.min ?? 0, plot.scales.y?.min ?? 0);
  const high = Math.min(plot.scales.x?.max ?? 0, plot.scales.y?.max ?? 0);
  if (low >= high) return;
  plot.ctx.save();
  plot.ctx.strokeStyle = '#55616d';
  plot.ctx.setLineDash([6, 4]);
  plot.ctx.beginPath();
  plot.ctx.moveTo(plot.valToPos(low, 'x', true), plot.valToPos(low, 'y', true));
  plot.ctx.lineTo(plot.valToPos(high, 'x', true), plot.valToPos(high, 'y', true));
  plot.ctx.stroke();
  plot.ctx.restore();
}

/** All points counted on a grid, by the logarithm of their number, under the points that are drawn one by one. */
function drawDensity(plot: uPlot, density: PointDensity): void {
  const most = Math.max(...density.counts.flat());
  const [width, height] = [
    (density.x_high - density.x_low) / (density.counts[0]?.length ?? 1),
    (density.y_high - density.y_low) / density.counts.length,
  ];
  plot.ctx.save();
  density.counts.forEach((line, row) => {
    line.forEach((count, column) => {
      if (count === 0) return;
      const left = plot.valToPos(density.x_low + column * width, 'x', true);
      const right = plot.valToPos(density.x_low + (column + 1) * width, 'x', true);
      const low = plot.valToPos(density.y_low + row * height, 'y', true);
      const high = plot.valToPos(density.y_low + (row + 1) * height, 'y', true);
      // From the light end of the scale: few points must not look darker than none.
      plot.ctx.fillStyle = scaleColour('viridis', 1 - 0.9 * (Math.log1p(count) / Math.log1p(most)));
      plot.ctx.fillRect(left, high, right - left + 1, low - high + 1);
    });
  });
  plot.ctx.restore();
}

/** What a histogram shows, in words. */
export function histogramInWords(histogram: ColumnHistogram, title: string): string {
  if (histogram.values === 0) {
    return histogram.missing > 0 ? `No row has a value of ${title}.` : 'There are no rows yet.';
  }
  const { edges, counts, mean, median } = histogram;
  const missing = histogram.missing > 0 ? `; ${histogram.missing.toLocaleString('en')} rows have no value` : '';
  const spread =
    counts.length === 1 && edges.length === 2
      ? `all ${readable(median ?? 0)}`
      : `from ${readable(edges[0] as number)} to ${readable(edges[edges.length - 1] as number)}, median ${readable(median ?? 0)}, mean ${readable(mean ?? 0)}`;
  return `${histogram.values.toLocaleString('en')} values of ${title}: ${spread}${missing}.`;
}

/** What a scatter plot shows, in words; a sample is said to be one. */
export function pointsInWords(points: TablePoints): string {
  if (points.total === 0) return points.missing > 0 ? 'No row has both values.' : 'There are no rows yet.';
  const all = points.total.toLocaleString('en');
  const shown = points.density
    ? `${all} rows, counted in colour; ${points.x.length.toLocaleString('en')} of them, chosen at random, are drawn as points`
    : `${all} points`;
  const missing = points.missing > 0 ? `; ${points.missing.toLocaleString('en')} rows lack a value` : '';
  return `${shown}${missing}.`;
}
