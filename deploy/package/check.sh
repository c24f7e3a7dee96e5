#!/usr/bin/env bash
# Packs Tocsin, installs the tarball into an empty folder without optional parts, and runs it from there.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$root"
npm pack --silent --pack-destination "$scratch" >/dev/null
mkdir "$scratch/empty"
cd "$scratch/empty"
npm init --yes >/dev/null
npm install --silent --omit=optional "$scratch"/tocsin-*.tgz

fail() {
  echo "pack:check failed: $1" >&2
  exit 1
}

help=$(npx --no-install tocsin --help) || fail "tocsin --help ended with status $?"
grep -q '^Usage: tocsin' <<<"$help" || fail "tocsin --help printed: $help"
grep -q '\bstart\b' <<<"$help" || fail "tocsin --help does not name the command start"
if npx --no-install tocsin no-such-command >/dev/null 2>&1; then fail 'an unknown command ended with status 0'; fi
echo "pack:check passed: $(basename "$scratch"/tocsin-*.tgz), $(du -k "$scratch"/tocsin-*.tgz | cut -f1) KiB, $(ls node_modules | wc -l) folders in node_modules"
