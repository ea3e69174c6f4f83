#!/bin/sh
# Puts the numbered pieces beside this file together again: sh join.sh FOLDER makes FOLDER/tensorflow.
set -eu
here=$(dirname "$(readlink -f "$0")")
to=${1:?usage: sh join.sh FOLDER (that of the bundle: the one with ./run)}
command -v xz >/dev/null || { echo "join: xz is missing: apt-get install xz-utils" >&2; exit 4; }
cd "$here"
sha256sum --check --quiet SHA256SUMS || { echo "join: a piece is missing or changed: bring it again" >&2; exit 7; }
part="$to/tensorflow.part"
rm -rf "$part"
mkdir -p "$part"
cat tensorflow.tar.xz.[0-9][0-9][0-9] | xz -dc | tar -xf - -C "$part"
rm -rf "$to/tensorflow"
mv "$part" "$to/tensorflow"
echo "joined into $to/tensorflow"
