#!/bin/sh
# Makes an image that takes the arguments of the official prometheus image, from this machine's Prometheus or Debian's package.
set -eu
. ./rootfs.sh

prometheus=$(command -v prometheus) || {
	package=$root.package
	trap 'rm -rf "$root" "$package"' EXIT
	mkdir "$package"
	(cd "$package" && apt-get download -q prometheus >&2 && dpkg-deb -x prometheus_*.deb .)
	prometheus=$package/usr/bin/prometheus
}
mkdir -p "$root/prometheus"
chmod 777 "$root/prometheus"
echo "$prometheus" | add_libraries
cp "$prometheus" "$root/bin/prometheus"
# Its user is nobody as well, who must be able to read the rules.
image "$1" --change 'USER 65534' --change 'ENTRYPOINT ["/bin/prometheus"]' --change 'WORKDIR /prometheus' --change 'EXPOSE 9090'
