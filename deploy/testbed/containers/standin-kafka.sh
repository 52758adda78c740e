#!/bin/sh
# Makes an image with the scripts of apache/kafka that the testbed uses, from the Java and the jars of this machine.
set -eu
. ./rootfs.sh

java=$(readlink -f "$(command -v java)")
add "$(command -v sh)" "$(dirname "$(dirname "$java")")"
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
image "$1" --change 'ENV PATH=/usr/bin:/bin'
