// SPDX-License-Identifier: AGPL-3.0-or-later
/** Can this browser draw what the viewer needs? */

/** A sentence that says what is missing, or null when all is there. */
export function missingGraphics(): string | null {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('webgl2');
  if (!context) {
    return (
      'This browser cannot draw images here: WebGL 2 is switched off or not supported. ' +
      'Switch on hardware acceleration in its settings, or use a current Firefox, Chrome, Edge or Safari.'
    );
  }
  // Browsers allow few contexts at a time.
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return null;
}
