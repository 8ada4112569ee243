// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Tiles that were asked for, whether they have arrived or not, so that panels beside each other share one request.
 *
 * The least recently used are forgotten first; a tile that failed is forgotten at once, so that it can be asked for again.
 */

export interface TileCache<T> {
  /** The tile under `key`, loaded when nobody asked for it before. */
  load(key: string, read: () => Promise<T>): Promise<T>;
  /** The tile under `key` when it has arrived. */
  peek(key: string): T | undefined;
}

interface Entry<T> {
  promise: Promise<T>;
  value?: T;
}

export function createTileCache<T>(limit: number): TileCache<T> {
  const entries = new Map<string, Entry<T>>();

  return {
    load(key, read) {
      const known = entries.get(key);
      if (known) {
        entries.delete(key);
        entries.set(key, known);
        return known.promise;
      }
      const entry: Entry<T> = { promise: read() };
      entries.set(key, entry);
      entry.promise.then(
        (value) => {
          entry.value = value;
        },
        () => {
          if (entries.get(key) === entry) entries.delete(key);
        },
      );
      for (const oldest of entries.keys()) {
        if (entries.size <= limit) break;
        entries.delete(oldest);
      }
      return entry.promise;
    },
    peek: (key) => entries.get(key)?.value,
  };
}
