// SPDX-License-Identifier: AGPL-3.0-or-later
/** How the pages write numbers, times and statuses. */

import type { ExecutionStatusName } from '../../shared/contracts';

export const STATUS_WORDS: Readonly<Record<ExecutionStatusName, string>> = {
  queued: 'Waiting',
  running: 'Running',
  waiting_for_sign_in: 'Waiting for sign-in',
  saving: 'Saving to OMERO',
  completed: 'Completed',
  completed_with_errors: 'Completed with errors',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** A measured value: whole numbers in full, others with four significant digits, a missing one as a dash. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return Math.abs(value) < 1e9 ? value.toLocaleString('en') : value.toExponential(3);
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(3);
  return size >= 1000 ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : String(Number(value.toPrecision(4)));
}

/** A time of day today, otherwise with the date; in the reader's time zone. */
export function formatMoment(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return iso;
  const time = moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (moment.toDateString() === now.toDateString()) return `today, ${time}`;
  const sameYear = moment.getFullYear() === now.getFullYear();
  const date = moment.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) });
  return `${date}, ${time}`;
}

/** A span in words that are as exact as an estimate can be: "about 3 min". */
export function formatRemaining(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 10) return 'a few seconds';
  if (seconds < 60) return `about ${Math.round(seconds / 10) * 10 || 10} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes} min`;
  return `about ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 well`, `7 wells`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The unit to write behind a measurement's title; none where it only repeats the title ("Nuclei" in "nuclei"). */
export function unitOf(measurement: { title: string; unit: string | null }): string {
  const unit = measurement.unit ?? '';
  return measurement.title.toLowerCase().includes(unit.toLowerCase()) ? '' : unit;
}

/** A measurement's name for people when the pipeline describes none: `mean_intensity` is "Mean intensity". */
export function humanised(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
