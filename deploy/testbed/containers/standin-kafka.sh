#!/bin/sh
# Makes an image with the scripts of apache/kafka that the testbed and deploy/compose.yaml use, from the Java and the jars of this machine.
set -eu
. ./rootfs.sh

java=$(readlink -f "$(command -v java)")
add "$(command -v sh)" "$(command -v env)" "$(command -v sed)" "$(command -v tr)" "$(dirname "$(dirname "$java")")"
[ -e "$root/bin/sh" ] || cp "$root$(command -v sh)" "$root/bin/sh"

jars=$(go run ./jars)
mkdir -p "$root/opt/kafka/libs"
cp "$jars"/*.jar "$root/opt/kafka/libs/"

program /opt/kafka/bin/kafka-storage.sh <<END
#!/bin/sh
exec $java -cp '/opt/kafka/libs/*' kafka.tools.StorageTool "\$@"
END
program /opt/kafka/bin/kafka-server-start.sh <<END
#!/bin/sh
exec $java \$KAFKA_HEAP_OPTS -cp '/opt/kafka/libs/*' kafka.Kafka "\$@"
END
program /opt/kafka/bin/kafka-broker-api-versions.sh <<END
#!/bin/sh
exec $java -Xmx64m -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' org.apache.kafka.tools.BrokerApiVersionsCommand "\$@"
END
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
image "$1" --change 'CMD ["/etc/kafka/docker/run"]' --change 'ENV PATH=/usr/bin:/bin' --change 'ENV KAFKA_HEAP_OPTS=-Xmx384m'
