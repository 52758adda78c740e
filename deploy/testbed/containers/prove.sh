#!/bin/sh
# Proves that the testbed's servers can come from containers, on a machine where no image can be pulled.
#
# It needs a running Docker engine. One can be started by hand, as root:
#     apt-get install docker.io
#     setsid dockerd --pidfile /tmp/dockerd.pid >/tmp/dockerd.log 2>&1 &
#     docker info                              # until it answers
#     deploy/testbed/containers/prove.sh
#     kill "$(cat /tmp/dockerd.pid)"
#
# It makes stand-in images from Java, Kafka's jars and Postgres' programs of this machine, runs the testbed's own tests on them, requires that
# every server came from a container, and removes the images.
set -eu
cd "$(dirname "$0")"

docker info >/dev/null || { echo "prove.sh: no Docker engine answers; the first lines of this script say how to start one" >&2; exit 1; }

kafka=allocation-testbed/kafka postgres=allocation-testbed/postgres
trap 'docker image rm --force "$kafka" "$postgres" >/dev/null 2>&1' EXIT
trap 'exit 130' INT TERM
sh ./standin-kafka.sh "$kafka"
sh ./standin-postgres.sh "$postgres"

# Without the helper that removes containers of dead processes: its image cannot be pulled either.
export TESTCONTAINERS_RYUK_DISABLED=true TESTBED_KAFKA_IMAGE="$kafka" TESTBED_POSTGRES_IMAGE="$postgres"
unset KAFKA_BROKERS DATABASE_URL
go test -count=1 -tags containers ${PROVE_FLAGS:--v} ..

left=$(docker ps --all --quiet --filter label=org.testcontainers=true)
[ -z "$left" ] || { echo "prove.sh: containers are left: $left" >&2; exit 1; }
