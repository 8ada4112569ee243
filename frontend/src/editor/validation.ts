// SPDX-License-Identifier: AGPL-3.0-or-later
/** Asks the server what is wrong with the document while it is edited. */

import { type Api, isAbort } from '../shared/api';
import type { ValidationReport } from '../shared/contracts';
import type { EditedDocument } from './document';

export interface Validation {
  /** Check soon; an earlier check that has not answered is given up. */
  ask(): void;
}

export interface ValidationOptions {
  api: Api;
  document(): EditedDocument;
  /** The channel names of the plate, when one is known. */
  channels: readonly string[] | null;
  onReport(report: ValidationReport): void;
  onTrouble(error: unknown): void;
}

const WAIT = 350;

export function createValidation({ api, document, channels, onReport, onTrouble }: ValidationOptions): Validation {
  let timer = 0;
  let running: AbortController | null = null;

  async function check(): Promise<void> {
    running?.abort();
    const own = new AbortController();
    running = own;
    try {
      const body = { document: document(), channels };
      const report = await api.post<ValidationReport>('pipelines/validate/', body, { signal: own.signal });
      if (running === own) onReport(report);
    } catch (error) {
      if (!isAbort(error) && running === own) onTrouble(error);
    }
  }

  return {
    ask() {
      clearTimeout(timer);
      running?.abort();
      running = null;
      timer = window.setTimeout(() => void check(), WAIT);
    },
  };
}
