// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Talks to the plugin's JSON API: one small `fetch` with the headers OMERO.web needs and errors that carry a sentence.
 *
 * Every failure is an {@link ApiError}: the server's error envelope when there is one, and otherwise one of
 * `unreachable` (no answer at all), `not_signed_in` (OMERO.web's session has ended), `page_outdated` (Django's CSRF check
 * refused) or `bad_answer` (not our JSON, for example an error page of a proxy). A request aborted by its signal rejects with the browser's own `AbortError`.
 */

import type { ErrorBody } from './contracts';

/** A refusal or failure, in words that can be shown. `status` is 0 when there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly fieldErrors: Readonly<Record<string, string>> = {},
    readonly requestId = '',
  ) {
    super(message);
  }

  /** Whether trying the same again later may help: no answer, overload or a fault of the server. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type QueryValue = string | number | boolean | null | undefined;

export interface RequestOptions {
  /** Query parameters; null and undefined are left out. */
  params?: Record<string, QueryValue>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface Api {
  get<T>(path: string, options?: RequestOptions): Promise<T>;
  post<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  delete<T>(path: string, options?: RequestOptions): Promise<T>;
  /** The absolute address of `path`, which is relative to the API's base or absolute itself. */
  url(path: string, params?: Record<string, QueryValue>): string;
}

/** Whether `error` is the rejection of a request that we aborted ourselves. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** An `Idempotency-Key` for one submission; use the same one again when the same submission is repeated. */
export function newIdempotencyKey(): string {
  // crypto.randomUUID exists only on https and localhost, and facilities do run OMERO.web on plain http.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Django's CSRF token: from the hidden input that `{% csrf_token %}` writes, or else from the cookie (which an
 * administrator may have hidden from scripts).
 */
export function csrfToken(page: Document = document): string {
  const input = page.querySelector<HTMLInputElement>('input[name="csrfmiddlewaretoken"]');
  if (input?.value) return input.value;
  const cookie = /(?:^|;\s*)csrftoken=([^;]*)/.exec(page.cookie);
  return cookie?.[1] ? decodeURIComponent(cookie[1]) : '';
}

/** Open the API whose base address the page's template wrote, for example `{% url 'openhcs_api' %}`. */
export function createApi(base: string, fetcher: typeof fetch = (...given) => fetch(...given)): Api {
  const absoluteBase = new URL(base.endsWith('/') ? base : `${base}/`, document.baseURI);

  function url(path: string, params: Record<string, QueryValue> = {}): string {
    const address = new URL(path, absoluteBase);
    for (const [name, value] of Object.entries(params)) {
      if (value !== null && value !== undefined) address.searchParams.set(name, String(value));
    }
    return address.href;
  }

  async function request<T>(method: string, path: string, body: unknown, options: RequestOptions): Promise<T> {
    const headers: Record<string, string> = {
      Accept: 'application/json',
      // With this header OMERO.web answers 403 instead of redirecting to its login page when the session has ended.
      'X-Requested-With': 'XMLHttpRequest',
      ...options.headers,
    };
    const init: RequestInit = { method, headers, credentials: 'same-origin' };
    if (method !== 'GET') headers['X-CSRFToken'] = csrfToken();
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    if (options.signal) init.signal = options.signal;

    let response: Response;
    try {
      response = await fetcher(url(path, options.params), init);
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError('unreachable', 'OMERO.web does not answer. Check the network; this page tries again by itself.', 0);
    }
    return readAnswer<T>(response);
  }

  return {
    get: (path, options = {}) => request('GET', path, undefined, options),
    post: (path, body, options = {}) => request('POST', path, body, options),
    delete: (path, options = {}) => request('DELETE', path, undefined, options),
    url,
  };
}

/** In OMERO.web's answer `{"message": "CSRF Failed: …"}`, and in the page that Django itself would send. */
const CSRF_REFUSAL = /CSRF (failed|verification failed)/i;

async function readAnswer<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  const content = parsed(text);
  if (response.ok && content !== undefined) return content as T;
  throw errorOf(response, text);
}

/** The JSON in `text`, or undefined when it is something else. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error that an answer with this body stands for. */
export function errorOf(response: Response, text: string): ApiError {
  const body = envelopeOf(parsed(text));
  if (body) return new ApiError(body.code, body.message, response.status, body.field_errors, body.request_id);
  // Django's token comes with a cookie: when that was renewed or removed meanwhile, the page's own no longer fits it.
  if (response.status === 403 && CSRF_REFUSAL.test(text)) {
    return new ApiError('page_outdated', 'This page is out of date, so nothing was changed. Reload it and try again.', 403);
  }
  // An empty 403 is OMERO.web's answer to an ended session; a page instead of JSON after a redirect is its login page.
  const endedSession = response.status === 401 || (response.status === 403 && text === '');
  if (endedSession || (response.ok && response.redirected)) {
    return new ApiError('not_signed_in', 'Your OMERO session has ended. Log in again, then come back to this page.', 403);
  }
  const said = response.ok ? 'something other than JSON' : `HTTP status ${response.status}`;
  return new ApiError('bad_answer', `The server answered with ${said}.`, response.ok ? 502 : response.status);
}

function envelopeOf(content: unknown): ErrorBody | undefined {
  if (typeof content !== 'object' || content === null || !('error' in content)) return undefined;
  const { error } = content;
  if (typeof error !== 'object' || error === null) return undefined;
  const body = error as Partial<ErrorBody>;
  if (typeof body.code !== 'string' || typeof body.message !== 'string') return undefined;
  return { code: body.code, message: body.message, field_errors: body.field_errors ?? {}, request_id: body.request_id ?? '' };
}
