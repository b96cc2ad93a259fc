#!/bin/sh
# Installs what is missing, then runs every check and test: `npm test`. With `fast`: checks and unit tests only;
# with `redis`: only what needs a Redis.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/install.sh"

exec "$root/node_modules/node/bin/node" "$root/scripts/run-checks.ts" "$@"
