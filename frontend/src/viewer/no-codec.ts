// SPDX-License-Identifier: AGPL-3.0-or-later
/** In place of decoders that the plugin's OME-Zarr never needs (see `vite.config.ts`); 1.3 MB of WebAssembly stay out. */

export default {
  fromConfig(): never {
    throw new Error('This Zarr uses a compression that the viewer does not include.');
  },
};
