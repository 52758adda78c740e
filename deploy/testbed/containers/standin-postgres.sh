#!/bin/sh
# Makes an image that takes the variables of the official postgres image which the testbed and deploy/compose.yaml use, from the programs of
# this machine.
set -eu
. ./rootfs.sh

bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
version=$(basename "$(dirname "$bin")")
add "$(command -v setpriv)" "$(command -v mkdir)" "$(command -v chown)" "$(dirname "$bin")" "/usr/share/postgresql/$version"
cp -a --parents --target-directory "$root" /usr/share/zoneinfo

program /docker-entrypoint.sh <<END
#!/bin/sh
set -eu
[ "\$1" = postgres ] || exec "\$@"
data=/var/lib/postgresql/data method=\${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
as_postgres() { setpriv --reuid=999 --regid=999 --clear-groups "\$@"; }
mkdir -p "\$data"
if [ ! -e "\$data/PG_VERSION" ]; then
	chown 999:999 "\$data"
	echo "\${POSTGRES_PASSWORD:-none}" >/tmp/password
	as_postgres $bin/initdb -D "\$data" --username=postgres --auth="\$method" --pwfile=/tmp/password --encoding=UTF8 --locale=C \${POSTGRES_INITDB_ARGS:-}
	echo "host all all all \$method" >>"\$data/pg_hba.conf"
	[ -z "\${POSTGRES_DB:-}" ] || echo "create database \$POSTGRES_DB" | as_postgres $bin/postgres --single -D "\$data" postgres
fi
shift
exec setpriv --reuid=999 --regid=999 --clear-groups $bin/postgres -D "\$data" -c listen_addresses='*' -c unix_socket_directories= "\$@"
END
image "$1" --change 'ENTRYPOINT ["/docker-entrypoint.sh"]' --change 'CMD ["postgres"]' --change "ENV PATH=$bin:/usr/bin:/bin" --change 'EXPOSE 5432'
