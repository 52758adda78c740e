#!/bin/sh
# Makes an image with Go and a shell, which is what the first stage of a Dockerfile uses, from the Go of this machine.
set -eu
. ./rootfs.sh

add "$(command -v sh)"
[ -e "$root/bin/sh" ] || cp "$root$(command -v sh)" "$root/bin/sh"
mkdir -p "$root/usr/local" "$root/root" "$root/go"
cp -a "$(go env GOROOT)" "$root/usr/local/go"
image "$1" --change 'ENV PATH=/usr/local/go/bin:/usr/bin:/bin' --change 'ENV GOPATH=/go' --change 'ENV HOME=/root' --change 'ENV GOTOOLCHAIN=local'
