// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, createApi, csrfToken, newIdempotencyKey } from './api';
import { readPageData } from './page-data';

function answering(body: string, init: ResponseInit & { redirected?: boolean } = {}) {
  return vi.fn(async (_address: RequestInfo | URL, _init?: RequestInit) => {
    const response = new Response(body, init);
    Object.defineProperty(response, 'redirected', { value: init.redirected ?? false });
    return response;
  });
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`not an ApiError: ${String(error)}`);
  return error;
}

beforeEach(() => {
  document.body.innerHTML = '<input type="hidden" name="csrfmiddlewaretoken" value="secret-1">';
});

describe('api', () => {
  it('stays under the prefix that OMERO.web is served at', async () => {
    const fetcher = answering('{"ok": true}');
    const api = createApi('/omero/openhcs/api/v1', fetcher);
    await api.get('executions/', { params: { plate: 7, status: undefined, cursor: null } });
    expect(fetcher.mock.calls[0]?.[0]).toBe(`${location.origin}/omero/openhcs/api/v1/executions/?plate=7`);
  });

  it('sends the headers that OMERO.web and Django want', async () => {
    const fetcher = answering('{"execution_id": "e1"}', { status: 201 });
    const created = await createApi('/openhcs/api/v1/', fetcher).post(
      'executions/',
      { plate_id: 1 },
      { headers: { 'Idempotency-Key': 'k' } },
    );
    expect(created).toEqual({ execution_id: 'e1' });
    const init = fetcher.mock.calls[0]?.[1];
    expect(init?.headers).toMatchObject({
      'X-Requested-With': 'XMLHttpRequest',
      'X-CSRFToken': 'secret-1',
      'Content-Type': 'application/json',
      'Idempotency-Key': 'k',
    });
    expect(init?.body).toBe('{"plate_id":1}');
    expect(init?.credentials).toBe('same-origin');
  });

  it('carries the words and field errors of the envelope', async () => {
    const envelope = {
      error: {
        code: 'invalid',
        message: 'Sigma is too large.',
        field_errors: { 'parameters.sigma': 'at most 5' },
        request_id: 'r1',
      },
    };
    const error = await failure(createApi('/x/', answering(JSON.stringify(envelope), { status: 422 })).get('y'));
    expect(error).toMatchObject({
      code: 'invalid',
      message: 'Sigma is too large.',
      status: 422,
      requestId: 'r1',
      temporary: false,
    });
    expect(error.fieldErrors).toEqual({ 'parameters.sigma': 'at most 5' });
  });

  it.each([
    ['an empty 403', '', { status: 403 }],
    ['the login page behind a redirect', '<html>', { status: 200, redirected: true }],
  ])('takes %s for an ended session', async (_, body, init) => {
    expect((await failure(createApi('/x/', answering(body, init)).get('y'))).code).toBe('not_signed_in');
  });

  it.each([
    ['OMERO.web', '{"message": "CSRF Failed: CSRF token from the \'X-Csrftoken\' HTTP header incorrect."}'],
    ['Django', '<!DOCTYPE html><h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>'],
  ])("does not take a CSRF refusal in %s's words for an ended session", async (_, body) => {
    const error = await failure(createApi('/x/', answering(body, { status: 403 })).post('y'));
    expect(error).toMatchObject({ code: 'page_outdated', status: 403, temporary: false });
    expect(error.message).toContain('Reload');
  });

  it.each([
    ['an error page', '<h1>Bad gateway</h1>', { status: 502 }, 502],
    ['HTML in place of JSON', '<html>', { status: 200 }, 502],
    ['an envelope without words', '{"error": {"code": 3}}', { status: 500 }, 500],
  ])('says that %s is a bad answer', async (_, body, init, status) => {
    expect(await failure(createApi('/x/', answering(body, init)).get('y'))).toMatchObject({
      code: 'bad_answer',
      status,
      temporary: true,
    });
  });

  it('does not take the refusal of a proxy for an ended session', async () => {
    const error = await failure(createApi('/x/', answering('<h1>403 Forbidden</h1>', { status: 403 })).get('y'));
    expect(error).toMatchObject({ code: 'bad_answer', status: 403 });
  });

  it('tells no answer from an abort', async () => {
    const down = vi.fn(async () => Promise.reject(new TypeError('Failed to fetch')));
    expect(await failure(createApi('/x/', down).get('y'))).toMatchObject({ code: 'unreachable', status: 0, temporary: true });
    const aborted = vi.fn(async () => Promise.reject(new DOMException('', 'AbortError')));
    await expect(createApi('/x/', aborted).get('y')).rejects.toBeInstanceOf(DOMException);
  });

  it('reads the CSRF token from the cookie when the page has no field', () => {
    document.body.replaceChildren();
    document.cookie = 'csrftoken=from%2Dcookie';
    expect(csrfToken()).toBe('from-cookie');
  });

  it('makes keys that differ', () => {
    expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/);
    expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
  });
});

describe('page data', () => {
  it('is read, and its absence is an error', () => {
    document.body.innerHTML = '<script id="openhcs-data" type="application/json">{"plate": 3}</script>';
    expect(readPageData()).toEqual({ plate: 3 });
    expect(() => readPageData('other')).toThrow('other');
  });
});
