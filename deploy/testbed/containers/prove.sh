#!/bin/sh
# Proves what runs on a Docker engine: the testbed's servers, and deploy/compose.yaml.
#
# It needs Go, curl, and Docker with compose: "docker compose", or the program that COMPOSE names.
# An image of others that cannot be pulled is made from programs of this machine: from Java and Maven
# for Kafka, from Postgres, and from Prometheus or Debian's package of it. An engine for a trial:
#
#     apt-get install docker.io
#     setsid dockerd --pidfile /tmp/dockerd.pid >/tmp/dockerd.log 2>&1 &
#     docker info                              # until it answers
#     deploy/testbed/containers/prove.sh
#     kill "$(cat /tmp/dockerd.pid)"
#
# In the end it removes what it made. The image "allocation" is made anew and removed.
set -eu
cd "$(dirname "$0")"
compose_file=../../compose.yaml rules=../../prometheus/rules.yaml

compose() { ${COMPOSE:-docker compose} --project-name allocation-prove --file "$compose_file" "$@"; }
docker info >/dev/null || { echo "prove.sh: no Docker engine answers; its first lines say how to start one" >&2; exit 1; }
compose config --quiet

made=allocation tail=allocation-prove-tail archive=$(mktemp)
end() {
	docker rm --force "$tail" >/dev/null 2>&1 || true
	compose down --volumes --timeout 40 >/dev/null 2>&1 || true
	docker image rm --force $made >/dev/null 2>&1 || true
	rm -f "$archive"
}
trap end EXIT
trap 'exit 130' INT TERM

# The images' names are compose.yaml's, which are the testbed's too.
for name in kafka postgres prometheus; do
	image=$(sed -n "s|^ *image: \(.*$name:.*\)|\1|p" "$compose_file" | head -n 1)
	docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" || {
		made="$made $image"
		sh "./standin-$name.sh" "$image"
		# The image of what removes containers of dead processes cannot be pulled either.
		export TESTCONTAINERS_RYUK_DISABLED=true
	}
done

# The testbed, with a test that its servers came from containers.
unset KAFKA_BROKERS DATABASE_URL
go test -count=1 -tags containers ..
left=$(docker ps --all --quiet --filter label=org.testcontainers=true)
[ -z "$left" ] || [ -z "${TESTCONTAINERS_RYUK_DISABLED:-}" ] || { echo "prove.sh: containers are left: $left" >&2; exit 1; }

# eventually tries a command for a minute and a half, and shows the containers if it never succeeds.
eventually() {
	tries=90
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "prove.sh: in vain: $*" >&2; compose ps --all; compose logs --tail 30; exit 1; }
		sleep 1
	done
}
prometheus() { curl -s "http://127.0.0.1:9090/api/v1/$1" ${2:+--data-urlencode "query=$2"}; }
holds() { prometheus query "$1" | grep -q '"value"'; }
assigned() { holds "sum(allocation_partitions_assigned) == 12 and count(allocation_partitions_assigned) == $1"; }
rules_loaded() { [ "$(prometheus rules | grep -o '"health":"ok"' | wc -l)" = "$(grep -c ' alert: ' "$rules")" ]; }
published() { docker logs "$tail" 2>&1 | grep -q "$1"; }
tail_events() { compose run --rm --detach --name "$tail" cli tail --from-beginning; }

go run ../../docker -o "$archive" -tag allocation:latest
docker load --input "$archive"
compose up --detach
eventually assigned 3
eventually rules_loaded
tail_events
compose run --rm cli send CreateBatch ref=b1 sku=CHAIR qty=50
eventually published 'CHAIR  *1  .*batch b1 of 50'

docker kill "$(compose ps --quiet worker | head -n 1)"
eventually assigned 2

# Data is in volumes, so that the product goes on where it was.
docker rm --force "$tail"
compose down --timeout 40
compose up --detach
eventually assigned 3
tail_events
compose run --rm cli send Allocate orderid=o1 sku=CHAIR qty=20
eventually published 'CHAIR  *2  .*order o1 gets 20 of batch b1'
published 'CHAIR  *1  .*batch b1 of 50'
compose run --rm cli verify

compose stop --timeout 40 worker
# Each says so at the end of an orderly stop.
[ "$(compose logs worker | grep -c '"worker stopped"')" = 3 ] || { compose logs --tail 30 worker; exit 1; }
echo "prove.sh: the testbed ran on containers; compose.yaml's workers applied, moved a killed one's partitions, went on after a restart, and stopped"
