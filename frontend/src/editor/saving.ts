// SPDX-License-Identifier: AGPL-3.0-or-later
/** Saving: as the next version of one's own pipeline, or as a new pipeline of which nobody is in the way. */

import { type Api, ApiError } from '../shared/api';
import { type EditedDocument, tidied } from './document';

export type SaveResult =
  | { kind: 'saved'; document: EditedDocument }
  | { kind: 'conflict' }
  | { kind: 'mistakes'; fieldErrors: Readonly<Record<string, string>> }
  | { kind: 'signed_out'; message: string }
  | { kind: 'outdated'; message: string }
  | { kind: 'failed'; message: string };

const MOST_TRIES = 30;

/** Save the next version; refused as a conflict when `basedOn` is not the newest any more. */
export async function saveVersion(api: Api, document: EditedDocument, basedOn: number): Promise<SaveResult> {
  return post(api, document, basedOn);
}

/** Save under the document's id, `count-nuclei`, or as `count-nuclei-2` when the user has such a pipeline already. */
export async function saveNew(api: Api, document: EditedDocument): Promise<SaveResult> {
  const stem = document.id;
  for (let number = 1; number <= MOST_TRIES; number += 1) {
    const id = number === 1 ? stem : `${stem.slice(0, 36)}-${number}`;
    const result = await post(api, { ...document, id, version: 1 }, 0);
    if (result.kind !== 'conflict') return result;
  }
  return { kind: 'failed', message: 'You have many pipelines of this name. Choose another name.' };
}

async function post(api: Api, document: EditedDocument, basedOn: number): Promise<SaveResult> {
  try {
    const answer = await api.post<EditedDocument>('pipelines/', { document, based_on: basedOn });
    return { kind: 'saved', document: tidied(answer) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'pipeline_changed') return { kind: 'conflict' };
    if (error.code === 'not_signed_in') return { kind: 'signed_out', message: error.message };
    if (error.code === 'page_outdated') return { kind: 'outdated', message: error.message };
    if (error.status === 422 && Object.keys(error.fieldErrors).length > 0)
      return { kind: 'mistakes', fieldErrors: error.fieldErrors };
    return { kind: 'failed', message: error.message };
  }
}
