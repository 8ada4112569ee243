// SPDX-License-Identifier: AGPL-3.0-or-later
import { expect, it, vi } from 'vitest';
import { announceObject, OBJECT_SELECTED, onObjectSelected } from './object-selection';

const selection = { image_id: 7, label_name: 'nuclei', object_id: 12 };

it('reaches everybody but the part that announced it', () => {
  const viewer = {};
  const own = vi.fn();
  const other = vi.fn();
  const stop = [onObjectSelected(own, viewer), onObjectSelected(other, {}), onObjectSelected(other)];
  announceObject(selection, viewer);
  expect(own).not.toHaveBeenCalled();
  expect(other).toHaveBeenCalledTimes(2);
  expect(other).toHaveBeenCalledWith(selection);
  for (const end of stop) end();
  announceObject(selection);
  expect(other).toHaveBeenCalledTimes(2);
});

it('is a plain event of the document, which other scripts can use', () => {
  const heard = vi.fn();
  const end = onObjectSelected(heard);
  document.dispatchEvent(new CustomEvent(OBJECT_SELECTED, { detail: selection }));
  end();
  expect(heard).toHaveBeenCalledWith(selection);
});
