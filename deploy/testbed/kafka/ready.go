package kafka

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/deploy/testbed/await"
)

// startTime is how long a server may take to answer on a busy machine: several that start at once
// wait for each other.
const startTime = 3 * time.Minute

// AwaitReady returns when the server at the address answers and knows itself as a broker. Its error
// says that the time was over, or that the server ended, which closes ended.
func AwaitReady(ctx context.Context, brokers string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it did not answer in time"))
	defer cancel()
	return await.Ready(ctx, ended, func(ctx context.Context) error { return probe(ctx, brokers) })
}

func probe(ctx context.Context, brokers string) error {
	// The client waits before it dials again, so it is asked only when somebody listens.
	conn, err := net.DialTimeout("tcp", brokers, time.Second)
	if err != nil {
		return err
	}
	conn.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.RetryTimeout(2*time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	return askForBrokers(ctx, client)
}

func askForBrokers(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	answer, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if len(answer.Brokers) == 0 {
		return errors.New("no broker is registered yet")
	}
	return nil
}
