#!/bin/sh
# Proves that deploy/compose.yaml works, on a machine where no image can be pulled.
#
# It needs what prove.sh needs, and Docker's compose: "docker compose", or the program that COMPOSE names.
#
# It makes the image of the program, and stand-in images from Java, Kafka's jars, Postgres' and Prometheus' programs of this machine, brings all
# up, sends a command, and requires its event and three workers that Prometheus has found. Then it removes all that it made.
set -eu
cd "$(dirname "$0")"

compose() { ${COMPOSE:-docker compose} --project-name allocation-prove --file ../../compose.yaml "$@"; }
# The images' names are compose.yaml's, so that it runs as it is; a machine that has one of them keeps it.
named() { sed -n "s|^ *image: \($1.*\)|\1|p" ../../compose.yaml | head -n 1; }
kafka=$(named apache/kafka) postgres=$(named postgres) prometheus=$(named prom/prometheus) program=allocation

docker info >/dev/null || { echo "prove-compose.sh: no Docker engine answers; prove.sh says how to start one" >&2; exit 1; }
made='' tail=allocation-prove-tail tar=$(mktemp)
end() {
	docker rm --force "$tail" >/dev/null 2>&1 || true
	compose down --volumes --timeout 40 >/dev/null 2>&1 || true
	[ -z "$made" ] || docker image rm --force $made >/dev/null 2>&1 || true
	rm -f "$tar"
}
trap end EXIT
trap 'exit 130' INT TERM
for name in kafka postgres prometheus; do
	eval "image=\$$name"
	docker image inspect "$image" >/dev/null 2>&1 && continue
	made="$made $image"
	sh "./standin-$name.sh" "$image"
done
go run ../../docker -o "$tar" -tag "$program:latest"
docker load --input "$tar"
made="$made $program"

compose up --detach
compose run --rm send CreateBatch ref=b1 sku=CHAIR qty=50
compose run --rm --detach --name "$tail" tail --from-beginning
published() { docker logs "$tail" 2>&1 | grep 'batch b1 of 50'; }
members() { curl -s http://127.0.0.1:9090/api/v1/query --data-urlencode 'query=sum(allocation_group_member)' | grep '"3"'; }
tries=60
until published && members; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || { compose ps --all; compose logs --tail 30; exit 1; }
	sleep 1
done
compose stop --timeout 40 worker
# "worker stopped" is what each says at the end of an orderly stop.
[ "$(compose logs worker | grep -c '"worker stopped"')" = 3 ] || { compose logs --tail 30 worker; exit 1; }
echo "prove-compose.sh: three workers took the command, published its event, and stopped in order"
