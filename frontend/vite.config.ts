// SPDX-License-Identifier: AGPL-3.0-or-later
/**
 * Builds the scripts of the plugin's pages into the app's static folder.
 *
 * Every `src/pages/<name>.ts` is an entry called `<name>`; a template asks for it with `{% openhcs_asset "<name>" %}`, which
 * reads the manifest written here. All addresses inside the bundle are relative, so it works under any URL prefix.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

const root = import.meta.dirname;
const staticFolder = path.resolve(root, '../src/omero_openhcs/static/omero_openhcs/dist');

function pageEntries(): Record<string, string> {
  const folder = path.resolve(root, 'src/pages');
  const scripts = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return Object.fromEntries(scripts.map((file) => [path.basename(file, '.ts'), path.join(folder, file)]));
}

export default defineConfig({
  root,
  base: './',
  resolve: {
    alias: {
      '@vivjs/loaders': path.resolve(root, 'src/viewer/viv-loaders.ts'),
      // The endpoint sends labels as gzip, which browsers decompress themselves, and intensities as they are.
      'numcodecs/blosc': path.resolve(root, 'src/viewer/no-codec.ts'),
      'numcodecs/lz4': path.resolve(root, 'src/viewer/no-codec.ts'),
      'numcodecs/zstd': path.resolve(root, 'src/viewer/no-codec.ts'),
    },
  },
  build: {
    target: 'es2022',
    outDir: staticFolder,
    emptyOutDir: true,
    manifest: 'manifest.json',
    license: { fileName: 'third-party-licences.md' },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: {
        viewer: path.resolve(root, 'src/viewer/page.ts'),
        editor: path.resolve(root, 'src/editor/page.ts'),
        ...pageEntries(),
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
  },
});
