// SPDX-License-Identifier: AGPL-3.0-or-later
/** The quality panel: what the statistics of one measurement say, in figures and in words. */

import { make } from '../../shared/dom';
import { count, formatValue } from './format';
import type { ControlStatistics, ImageFlag, PlateControls, QualityReport } from './quality-report';

const VERDICTS = {
  excellent: 'excellent assay (Z\u2032 \u2265 0.5)',
  marginal: 'marginal assay (0 < Z\u2032 < 0.5): hits need repeats',
  unusable: 'the controls overlap (Z\u2032 \u2264 0): this measurement cannot tell hits',
} as const;

const FLAGS = { out_of_focus: 'out of focus', saturated: 'saturated', nothing_found: 'nothing found' } as const;

/** Flags that are listed one by one; the others are counted. */
const MOST_FLAGS = 30;

export interface QualityPanelOptions {
  report: QualityReport;
  /** The measurement for people. */
  title: string;
  onWell: (well: string) => void;
}

/** Show a report of one measurement in `host`. The focus stays where it is when the same flag is still there. */
export function showQuality(host: HTMLElement, options: QualityPanelOptions): void {
  const { report, title } = options;
  const [measured] = report.measurements;
  const focused = host.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.flag : undefined;
  if (!measured) {
    host.replaceChildren(make('p', { class: 'oh-hint' }, 'Statistics appear when the first well is done.'));
    return;
  }
  const { controls } = measured;
  host.replaceChildren(
    make(
      'p',
      { class: 'oh-headline' },
      make('strong', { 'data-figure': 'z_prime' }, formatValue(rounded(controls.z_prime))),
      make('span', {}, `Z\u2032-factor of ${title}`),
    ),
    controls.verdict
      ? make('p', { class: `oh-verdict oh-verdict-${controls.verdict}` }, make('span', {}, VERDICTS[controls.verdict]))
      : '',
    make('p', { class: 'oh-sub' }, usedWells(report, controls)),
    ...controls.notes.map((note) => make('p', { class: 'oh-hint' }, note)),
    figures(controls),
    make(
      'ul',
      { class: 'oh-effects' },
      ...[measured.edge, ...measured.drift].map((effect) =>
        make('li', { class: effect.found ? 'oh-effect-found' : null }, effect.note),
      ),
    ),
    measured.missing ? make('p', { class: 'oh-sub' }, missingWells(measured.missing)) : '',
    flagList(report.flags, options.onWell),
  );
  if (focused) host.querySelector<HTMLElement>(`[data-flag="${focused}"]`)?.focus();
}

/** Where the roles of the wells come from, for the line above the button that marks them. */
export function sourceOf(controls: PlateControls | null): string {
  if (!controls) return 'The plate cannot be read any more, so its control wells are not known.';
  const whose = controls.marked_by || 'somebody';
  switch (controls.source) {
    case 'own':
      return controls.shared ? 'Marked by you, for everybody who sees the plate.' : 'Marked by you, for yourself alone.';
    case 'plate_owner':
      return `Marked by ${whose}, the owner of the plate.`;
    case 'colleague':
      return `Marked by ${whose}.`;
    case 'annotations':
      return 'Read from the annotations of the wells in OMERO.';
    default:
      return 'No control wells are known for this plate. Mark them to see Z\u2032.';
  }
}

function usedWells(report: QualityReport, controls: ControlStatistics): string {
  const positive = `${controls.positive_wells} of ${count(report.positive_wells, 'positive control well')}`;
  const negative = `${controls.negative_wells} of ${report.negative_wells} negative ones`;
  return `From ${positive} and ${negative}, and ${report.wells_used} of ${report.wells_total} wells in all.`;
}

function missingWells(missing: number): string {
  return missing === 1 ? '1 well that is done has no value.' : `${missing} wells that are done have no value.`;
}

function figures(controls: ControlStatistics): HTMLElement {
  const lines: [string, string, number | null, string][] = [
    ['z_prime_robust', 'Robust Z\u2032', controls.z_prime_robust, 'Z\u2032 from medians and median absolute deviations'],
    ['ssmd', 'SSMD', controls.ssmd, 'Strictly standardised mean difference of the controls'],
    ['ssmd_robust', 'Robust SSMD', controls.ssmd_robust, 'SSMD from medians and median absolute deviations'],
    [
      'signal_window',
      'Signal window',
      controls.signal_window,
      'Gap between the controls, in standard deviations of the higher',
    ],
    ['positive_cv', 'CV of positive controls', controls.positive_cv, 'Standard deviation in percent of the mean'],
    ['negative_cv', 'CV of negative controls', controls.negative_cv, 'Standard deviation in percent of the mean'],
  ];
  return make(
    'dl',
    { class: 'oh-figures' },
    ...lines.map(([name, title, value, help]) =>
      make(
        'div',
        { title: help },
        make('dt', {}, title),
        make('dd', { 'data-figure': name }, formatValue(rounded(value)), name.endsWith('_cv') && value !== null ? ' %' : ''),
      ),
    ),
  );
}

/** Three significant digits: no plate knows its Z' better. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(3));
}

function flagList(flags: readonly ImageFlag[], onWell: (well: string) => void): HTMLElement | string {
  if (flags.length === 0) return make('p', { class: 'oh-sub' }, 'No image stands out as blurred, saturated or empty.');
  const items = flags.slice(0, MOST_FLAGS).map((flag) => {
    const key = `${flag.well}-${flag.field}-${flag.kind}`;
    const label = `${flag.well}, field ${flag.field}`;
    const button = make('button', { type: 'button', class: 'oh-link', 'data-flag': key, title: flag.message }, label);
    button.addEventListener('click', () => onWell(flag.well));
    return make('li', {}, button, ` ${FLAGS[flag.kind]}`);
  });
  const more = flags.length - items.length;
  return make(
    'div',
    {},
    make('h3', {}, `Images to look at (${flags.length})`),
    make('ul', { class: 'oh-flags' }, ...items),
    more > 0 ? make('p', { class: 'oh-sub' }, `and ${more} more; the command openhcs quality lists all of them.`) : '',
  );
}
