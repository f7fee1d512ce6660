#!/bin/sh
# Build chart.min.js again: sh static/vendor/chart/build.sh   (needs Node.js and npm)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-save --ignore-scripts chart.js@4.6.1 @kurkle/color@0.3.4 \
  rollup@4.68.8 @rollup/plugin-node-resolve@16.0.3 terser@5.51.4
cp "$here/entry.js" entry.mjs
npx rollup entry.mjs --plugin node-resolve --format es --file chart.js --silent
npx terser chart.js --module --compress passes=2 --mangle --comments '/^!/' \
  --output "$here/chart.min.js"
cat node_modules/chart.js/LICENSE.md node_modules/@kurkle/color/LICENSE.md \
  >"$here/LICENSE"
