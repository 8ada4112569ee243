// SPDX-License-Identifier: AGPL-3.0-or-later
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { type Api, ApiError } from '../../shared/api';
import { attachPipelineActions, nameOfCopy, tagsOf } from './pipeline-actions';

const HTML = `
<div id="root"><ul data-oh-pipeline="u2-mine" data-oh-name="Mine &lt;b&gt;" data-oh-revision="4" data-oh-tags="a, b" data-oh-group="3" data-oh-versions="2">
  <li><button data-oh-action="rename">Rename…</button><button data-oh-action="share">Share…</button>
  <button data-oh-action="copy">Copy…</button><button data-oh-action="delete">Delete…</button><button data-oh-action="undeprecate">Again</button></li></ul></div>
<dialog id="oh-dialog-rename"><form><span data-oh-fill="name"></span><input name="name"><input name="tags"><p data-oh-refusal hidden></p><button type="submit"></button></form></dialog>
<dialog id="oh-dialog-copy"><form><input name="name"><select name="group_id" data-oh-groups><option value="3">lab</option><option value="9" data-oh-private>own</option></select><p data-oh-private-note hidden></p><p data-oh-refusal hidden></p><button type="submit"></button></form></dialog>
<dialog id="oh-dialog-share"><form><select name="group_id" data-oh-groups><option value="3">lab</option><option value="9" data-oh-private>own</option></select><p data-oh-private-note hidden></p><div data-oh-sharing-check></div><p data-oh-refusal hidden></p><button type="submit"></button></form></dialog>
<dialog id="oh-dialog-delete"><form><span data-oh-fill="versions"></span><p data-oh-refusal hidden></p><button type="submit"></button></form></dialog>`;

function find<T extends HTMLElement>(selector: string): T {
  const element = document.querySelector<T>(selector);
  if (!element) throw new Error(selector);
  return element;
}

describe('the actions of a pipeline', () => {
  const api = { post: vi.fn(), delete: vi.fn(), get: vi.fn(), url: vi.fn() };
  const done = vi.fn();

  beforeEach(() => {
    document.body.innerHTML = HTML;
    vi.resetAllMocks();
    // jsdom has no modal dialogs.
    for (const dialog of document.querySelectorAll('dialog')) {
      dialog.showModal = () => dialog.setAttribute('open', '');
      dialog.close = () => dialog.removeAttribute('open');
    }
    attachPipelineActions(find('#root'), api as unknown as Api, done);
  });

  function press(action: string): void {
    find(`[data-oh-action="${action}"]`).click();
  }

  async function send(action: string): Promise<void> {
    find<HTMLFormElement>(`#oh-dialog-${action} form`).requestSubmit();
    await vi.waitFor(() => expect(find<HTMLButtonElement>(`#oh-dialog-${action} [type=submit]`).disabled).toBe(false));
  }

  it('renames with the revision that was shown', async () => {
    press('rename');
    expect(find('[data-oh-fill="name"]').textContent).toBe('Mine <b>');
    find<HTMLInputElement>('#oh-dialog-rename [name=name]').value = ' New ';
    await send('rename');
    expect(api.post).toHaveBeenCalledWith('pipelines/u2-mine/rename/', { revision: 4, name: 'New', tags: ['a', 'b'] });
    expect(done).toHaveBeenCalledWith({ action: 'rename', to: undefined });
  });

  it('shares what is not known to agree only with the tick that says so', async () => {
    api.get.mockResolvedValue({ pipeline_id: 'u2-mine', version: 2, state: 'not_checked', checks: [] });
    press('share');
    await vi.waitFor(() => expect(document.querySelector('[name=although_unchecked]')).not.toBeNull());
    expect(api.get).toHaveBeenCalledWith('pipelines/u2-mine/check/sharing/');
    await send('share');
    expect(api.post).toHaveBeenLastCalledWith('pipelines/u2-mine/share/', { revision: 4, group_id: 9 });
    press('share');
    await vi.waitFor(() => expect(document.querySelector('[name=although_unchecked]')).not.toBeNull());
    find<HTMLInputElement>('[name=although_unchecked]').checked = true;
    await send('share');
    const body = { revision: 4, group_id: 9, although_unchecked: true };
    expect(api.post).toHaveBeenLastCalledWith('pipelines/u2-mine/share/', body);
  });

  it('keeps what was entered when it is refused', async () => {
    api.post.mockRejectedValue(new ApiError('pipeline_changed', 'Somebody has changed it.', 409));
    press('rename');
    find<HTMLInputElement>('#oh-dialog-rename [name=name]').value = 'Typed';
    await send('rename');
    expect(find('#oh-dialog-rename').hasAttribute('open')).toBe(true);
    expect(find('#oh-dialog-rename [data-oh-refusal]').textContent).toBe('Somebody has changed it.');
    expect(find<HTMLInputElement>('#oh-dialog-rename [name=name]').value).toBe('Typed');
    expect(done).not.toHaveBeenCalled();
  });

  it('says plainly that nobody else sees a private group', async () => {
    press('share');
    expect(find<HTMLOptionElement>('#oh-dialog-share option[value="3"]').disabled).toBe(true);
    expect(find<HTMLSelectElement>('#oh-dialog-share select').value).toBe('9');
    expect(find('#oh-dialog-share [data-oh-private-note]').hidden).toBe(false);
    await send('share');
    expect(api.post).toHaveBeenCalledWith('pipelines/u2-mine/share/', { revision: 4, group_id: 9 });
  });

  it('copies into the same group unless told otherwise, and tells the new id', async () => {
    api.post.mockResolvedValue({ id: 'u5-mine' });
    press('copy');
    expect(find('#oh-dialog-copy [data-oh-private-note]').hidden).toBe(true);
    await send('copy');
    expect(api.post).toHaveBeenCalledWith('pipelines/u2-mine/copy/', { name: 'Mine <b> (copy)', group_id: 3 });
    expect(done).toHaveBeenCalledWith({ action: 'copy', to: 'u5-mine' });
  });

  it('deletes after a question and recommends again without one', async () => {
    press('delete');
    expect(find('[data-oh-fill="versions"]').textContent).toBe('2');
    expect(api.delete).not.toHaveBeenCalled();
    await send('delete');
    expect(api.delete).toHaveBeenCalledWith('pipelines/u2-mine/?revision=4');
    press('undeprecate');
    await vi.waitFor(() => expect(done).toHaveBeenCalledWith({ action: 'undeprecate' }));
    expect(api.post).toHaveBeenCalledWith('pipelines/u2-mine/deprecate/', { revision: 4, deprecated: false });
  });
});

describe('what is typed', () => {
  it('becomes tags, each once', () => expect(tagsOf(' a, b,, a ,')).toEqual(['a', 'b']));
  it('leaves room for the ending of a copy', () => expect(nameOfCopy('x'.repeat(120))).toHaveLength(120));
});
