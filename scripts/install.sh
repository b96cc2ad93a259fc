# Installs what is missing; to be sourced, with $root set. Needs only Node >= 20 with npm.
#
# Does nothing where the stamp equals the lock file, so a second start needs no network. A shell heeds a signal while
# it waits for a background process, not while it runs one: hence the `&`.

if ! cmp -s "$root/pnpm-lock.yaml" "$root/node_modules/.gyre-lock.yaml" || [ ! -x "$root/node_modules/node/bin/node" ]; then
  (cd "$root" && exec node scripts/install.mjs) &
  install=$!
  trap 'trap "" INT TERM; kill -TERM $install; wait $install || exit 130' INT TERM
  wait $install || exit 1
  trap - INT TERM
fi
