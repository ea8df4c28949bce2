#!/bin/sh
# Builds a Debian root with Chromium and fonts that have Vietnamese at $1, unless it is there already.
# Runs in a mount namespace of its own: whatever gets mounted while building goes away with it.
set -eu
target=$1

mkdir -p "$(dirname "$target")"
exec 9>"$target.lock"
flock 9
if [ -d "$target" ]; then exit 0; fi

if ! command -v mmdebstrap >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends mmdebstrap debian-archive-keyring
fi

rm -rf --one-file-system "$target.building"
mmdebstrap --variant=apt --include=chromium,fonts-noto-core,fonts-noto-mono,passwd \
  --aptopt='Acquire::Check-Valid-Until "false"' \
  --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
  --customize-hook='chroot "$1" useradd --system --user-group browser' \
  forky "$target.building"
rm -rf "$target.building/var/cache/apt" "$target.building/var/lib/apt/lists"
# A folder that is there is complete: nobody ever sees it half built.
mv "$target.building" "$target"
