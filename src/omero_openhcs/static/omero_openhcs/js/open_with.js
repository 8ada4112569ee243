// SPDX-License-Identifier: AGPL-3.0-or-later
// "Open with … OpenHCS pipeline": possible for one plate, one screen, or wells (of one plate; the server checks that).
/* global OME */
OME.setOpenWithEnabledHandler("omero_openhcs", function (selected) {
  if (selected.length === 0) return false;
  var kind = selected[0].type;
  if (!selected.every(function (object) { return object.type === kind; })) return false;
  return kind === "well" || ((kind === "plate" || kind === "screen") && selected.length === 1);
});
OME.setOpenWithUrlProvider("omero_openhcs", function (selected, url) {
  return url + "?" + selected.map(function (object) { return object.type + "=" + object.id; }).join("&");
});
