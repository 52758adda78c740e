package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// KafkaOptions say where Kafka keeps its data and how it is reached.
type KafkaOptions struct {
	// Addr is the host and port that it listens on and tells clients, such as 127.0.0.1:9092. Port
	// 0 takes a free one.
	Addr string
	// AddrFlag names in errors what the user changes when the port is in use, such as --kafka-addr.
	AddrFlag string
	// Dir holds the data, in its folder kafka. It is made when it does not exist.
	Dir string
	// Logger is told warnings and errors. nil discards them.
	Logger *slog.Logger
}

// Kafka is a running broker.
type Kafka struct {
	cluster *kfake.Cluster
	lock    *os.File
	addr    string
}

// StartKafka serves a data folder, which it makes at first. Topics are created only by who asks for
// it.
//
// Its error is an *AddrInUseError when the port is taken, or ErrFolderInUse when another process
// serves the folder, or ErrFolderNotOwn when it is not only this user's.
func StartKafka(_ context.Context, options KafkaOptions) (*Kafka, error) {
	if options.Dir == "" {
		return nil, errors.New("kafka: no folder for its data")
	}
	if err := makeKafkaFolders(options.Dir); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	lock, err := LockFolder(filepath.Join(options.Dir, "kafka.lock"))
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	cluster, err := openCluster(options)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &Kafka{cluster: cluster, lock: lock, addr: cluster.ListenAddrs()[0]}, nil
}

// makeKafkaFolders makes what nobody else can enter: kfake's own folders and files in it are open
// to all.
func makeKafkaFolders(dir string) error {
	if err := OwnFolder(dir); err != nil {
		return err
	}
	data := filepath.Join(dir, kafkaData)
	if _, err := makeOwn(data); err != nil {
		return err
	}
	return os.Chmod(data, ownFolder)
}

const kafkaData = "kafka"

func openCluster(options KafkaOptions) (*kfake.Cluster, error) {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		// kfake listens on 127.0.0.1 at a port of its choice, unless the listener is made for it.
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, options.Addr) }),
		kfake.DataDir(filepath.Join(options.Dir, kafkaData)),
		kfake.ClusterID(rand.Text()[:22]), // of a new folder, so that one begun anew is not taken for its predecessor
		kfake.GroupMinSessionTimeout(time.Second),
		kfake.WithLogger(kafkaLogger{options.Logger}),
	)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &AddrInUseError{Server: "Kafka", Addr: options.Addr, Flag: options.AddrFlag}
	}
	return cluster, err
}

// Addr is the address for clients.
func (k *Kafka) Addr() string { return k.addr }

// Close writes everything down, ends all connections, and stops. Closing again is nothing.
func (k *Kafka) Close() {
	k.cluster.Close()
	k.lock.Close()
}
