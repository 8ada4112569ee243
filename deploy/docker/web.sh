#!/bin/sh
# Configure OMERO.web as docs/administrators/install.md says, and serve it in the foreground.
set -eu
omero config set omero.web.server_list "[[\"${OMERO_HOST}\", 4064, \"omero\"]]"
omero config set omero.web.application_server.host 0.0.0.0
omero config set omero.web.secure true
omero config set omero.web.check_version false
omero config set omero.web.openhcs.service_url "${OPENHCS_SERVICE_URL}"
omero config set omero.web.openhcs.service_secret_file "${OPENHCS_SECRET_FILE}"
omero config append omero.web.middleware '{"index": 0.1, "class": "whitenoise.middleware.WhiteNoiseMiddleware"}'
omero load "$(python -c 'from importlib.resources import files; print(files("omero_openhcs") / "config" / "omero-openhcs.omero")')"
exec omero web start --foreground
