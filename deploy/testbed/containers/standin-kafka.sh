#!/bin/sh
# Makes an image with the scripts of apache/kafka that the testbed and deploy/compose.yaml use, from this machine's Java and Maven.
set -eu
. ./rootfs.sh

java=$(readlink -f "$(command -v java)")
add "$(command -v env)" "$(command -v sed)" "$(command -v tr)" "$(dirname "$(dirname "$java")")"
mvn -q -B -f ../kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$root/opt/kafka/libs"

# runs makes a script that runs a class of Kafka's, with options of Java's before it.
runs() {
	script=$1
	shift
	program "/opt/kafka/bin/$script" <<END
#!/bin/sh
exec $java -cp '/opt/kafka/libs/*' $* "\$@"
END
}
runs kafka-storage.sh kafka.tools.StorageTool
runs kafka-server-start.sh '$KAFKA_HEAP_OPTS' kafka.Kafka
runs kafka-broker-api-versions.sh -Xmx64m -XX:TieredStopAtLevel=1 org.apache.kafka.tools.BrokerApiVersionsCommand
# Like the official image's: KAFKA_LOG_DIRS=x becomes log.dirs=x.
program /etc/kafka/docker/run <<'END'
#!/bin/sh
set -eu
env | sed -n 's/^KAFKA_\([A-Z_]*\)=/\1 /p' | while read -r name value; do
	[ "$name" = HEAP_OPTS ] || echo "$(echo "$name" | tr A-Z_ a-z.)=$value"
done >/tmp/server.properties
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t 5L6g3nShT-eMCtK--X86sw -c /tmp/server.properties
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
END
# Its user is not root either, and a volume gets the rights of the folder that it covers.
mkdir -p "$root/var/lib/kafka/data"
chmod 777 "$root/var/lib/kafka/data"
image "$1" --change 'USER 1000' --change 'CMD ["/etc/kafka/docker/run"]' --change 'ENV PATH=/usr/bin:/bin' --change 'ENV KAFKA_HEAP_OPTS=-Xmx384m'
