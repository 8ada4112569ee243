// SPDX-License-Identifier: AGPL-3.0-or-later
/** The golden wells on a pipeline's page: what is known about them, and the button that runs them again. */

import { type Api, createApi, newIdempotencyKey } from '../shared/api';
import type { GoldenCheck, GoldenWellCheck, SharingCheck } from '../shared/contracts';
import { byId, make, showNotice } from '../shared/dom';
import { type CheckLinks, checkPill, checkTable } from './parts/golden-check';

const POLL_INTERVAL = 1500;

function watch(section: HTMLElement): void {
  const { ohApi = '', ohPipeline = '', ohResults = '', ohOmero = '' } = section.dataset;
  const api: Api = createApi(ohApi);
  const titles = new Map<string, string>();
  for (const entry of section.querySelectorAll<HTMLDataElement>('data')) titles.set(entry.value, entry.textContent ?? '');
  const links: CheckLinks = { results: ohResults, omero: ohOmero, titles };
  const button = document.getElementById('oh-golden-check') as HTMLButtonElement | null;
  const problem = byId('oh-golden-problem');
  const version = Number(section.dataset.ohVersion);
  const path = `pipelines/${ohPipeline}/check/`;
  let known: SharingCheck | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function show(check: SharingCheck): void {
    known = check;
    const shown = check.checks.filter((entry) => entry.wells.length > 0);
    byId('oh-golden-state').replaceChildren(checkPill(check.state));
    byId('oh-golden-none').hidden = shown.length > 0;
    if (button) {
      button.hidden = shown.length === 0;
      button.disabled = check.state === 'running';
    }
    byId('oh-golden-wells').replaceChildren(
      ...shown.flatMap((entry) => [
        shown.length > 1 ? make('h3', { class: 'oh-golden-by' }, headingOf(entry)) : '',
        checkTable(entry, links),
      ]),
    );
  }

  async function look(): Promise<void> {
    clearTimeout(timer);
    try {
      const check = await api.get<SharingCheck>(`${path}sharing/`, { params: { version } });
      // Drawing again what is drawn already would close what the reader has opened.
      if (JSON.stringify(check) !== JSON.stringify(known)) show(check);
      showNotice(problem, '');
    } catch (error) {
      showNotice(problem, (error as Error).message);
    }
    if (known?.state === 'running' || anyRunning(known)) timer = setTimeout(() => void look(), POLL_INTERVAL);
  }

  /** Run the golden wells of this version, and of the one before where they are other wells. */
  async function run(): Promise<void> {
    if (!button || !known) return;
    button.disabled = true;
    showNotice(problem, '');
    const covered = new Set<string>();
    const refused: string[] = [];
    try {
      for (const check of known.checks) {
        if (check.wells.every((well) => covered.has(keyOf(well)))) continue;
        const body = { version, expected_by: check.expected_by };
        const headers = { 'Idempotency-Key': newIdempotencyKey() };
        const started = await api.post<GoldenCheck>(path, body, { headers });
        for (const well of started.wells) {
          covered.add(keyOf(well));
          if (well.state === 'not_run')
            refused.push(`${well.plate_name ?? `Plate ${well.plate_id}`} · ${well.well}: ${well.message}`);
        }
      }
    } catch (error) {
      refused.push((error as Error).message);
    }
    button.disabled = false;
    await look();
    showNotice(problem, refused.join(' '));
  }

  button?.addEventListener('click', () => void run());
  void look();
}

function headingOf(check: GoldenCheck): string {
  return check.expected_by === check.version
    ? 'What this version expects'
    : `What version ${check.expected_by} expects, run with this version`;
}

function anyRunning(check: SharingCheck | null): boolean {
  return check?.checks.some((entry) => entry.wells.some((well) => well.state === 'running')) ?? false;
}

function keyOf(well: GoldenWellCheck): string {
  return JSON.stringify([well.plate_id, well.well, Object.entries(well.parameters).sort()]);
}

const section = document.getElementById('oh-golden');
if (section) watch(section);
