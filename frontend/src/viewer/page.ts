// SPDX-License-Identifier: AGPL-3.0-or-later
/** The script of the viewer page. */
export {};
