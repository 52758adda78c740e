#!/bin/sh
# Makes an image that takes the variables of the official postgres image which the testbed uses, from the programs of this machine.
set -eu
. ./rootfs.sh

bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
version=$(basename "$(dirname "$bin")")
add "$(command -v sh)" "$(command -v setpriv)" "$(command -v mkdir)" "$(command -v chown)" "$(dirname "$bin")" "/usr/share/postgresql/$version"
cp -a --parents --target-directory "$root" /usr/share/zoneinfo
[ -e "$root/bin/sh" ] || cp "$root$(command -v sh)" "$root/bin/sh"

program /docker-entrypoint.sh <<END
#!/bin/sh
set -eu
data=/var/lib/postgresql/data
as_postgres() { setpriv --reuid=999 --regid=999 --clear-groups "\$@"; }
if [ ! -e "\$data/PG_VERSION" ]; then
	mkdir -p "\$data"
	chown 999:999 "\$data"
	as_postgres $bin/initdb -D "\$data" --username=postgres --auth="\$POSTGRES_HOST_AUTH_METHOD" \$POSTGRES_INITDB_ARGS
	echo "host all all all \$POSTGRES_HOST_AUTH_METHOD" >>"\$data/pg_hba.conf"
fi
shift
exec setpriv --reuid=999 --regid=999 --clear-groups $bin/postgres -D "\$data" -c listen_addresses='*' -c unix_socket_directories= "\$@"
END
image "$1" --change 'ENTRYPOINT ["/docker-entrypoint.sh"]' --change 'ENV PATH=/usr/bin:/bin' --change 'EXPOSE 5432'
