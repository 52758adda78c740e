#!/bin/sh
# Makes an image with Go, a shell and the certificates of authorities, which is what the first stage of a Dockerfile uses, from this machine's.
set -eu
. ./rootfs.sh

add /etc/ssl/certs/ca-certificates.crt
mkdir -p "$root/usr/local" "$root/root" "$root/go"
cp -a "$(go env GOROOT)" "$root/usr/local/go"
image "$1" --change 'ENV PATH=/usr/local/go/bin:/usr/bin:/bin' --change 'ENV GOPATH=/go' --change 'ENV HOME=/root' --change 'ENV GOTOOLCHAIN=local'
