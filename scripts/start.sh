#!/bin/sh
# Installs what is missing, then becomes the server: `npm start -- --config my.json`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/install.sh"

# The real binary, not node_modules/.bin/node: that one is a shell script which keeps SIGTERM to itself and leaves the
# server behind on its port.
exec "$root/node_modules/node/bin/node" --conditions=source "$root/packages/server/src/cli/main.ts" "$@"
