package containers

import (
	"context"
	"net"
	"strconv"
	"strings"

	"github.com/testcontainers/testcontainers-go"

	"allocation/deploy/local"
	"allocation/deploy/testbed/kafka"
)

// KafkaImage is the official image of the version that the jars have.
const KafkaImage = "apache/kafka:" + kafka.Version

const propertiesPath = "/tmp/server.properties"

// startKafka formats the storage unless it is, as at a restart, and runs the server in the shell's
// place, so that it gets the signals.
const startKafka = `/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t "$1" -c "$2" && exec /opt/kafka/bin/kafka-server-start.sh "$2"`

// Kafka starts a Kafka server with more settings than the usual. Its error is ErrUnavailable, or
// shows the end of the container's log.
func Kafka(ctx context.Context, settings map[string]string) (*Container, error) {
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	// The port is chosen here, because the server must know the address by which clients see it
	// before it starts.
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	properties := kafka.Settings("/tmp/data", kafka.Listeners{Bind: "0.0.0.0:9092", Advertised: addr, Controller: "127.0.0.1:9093"}, settings)
	ready := func(ctx context.Context) error { return kafka.AwaitReady(ctx, addr, nil) }
	return run(ctx, KafkaImage, addr, ready,
		onPort("9092/tcp", port),
		testcontainers.WithEnv(map[string]string{"KAFKA_HEAP_OPTS": "-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"}),
		testcontainers.WithFiles(testcontainers.ContainerFile{Reader: strings.NewReader(properties), ContainerFilePath: propertiesPath, FileMode: 0o644}),
		testcontainers.WithEntrypoint("/bin/sh", "-c", startKafka, "start"),
		testcontainers.WithCmd(kafka.NewClusterID(), propertiesPath),
	)
}
