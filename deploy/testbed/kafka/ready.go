package kafka

import (
	"context"
	"errors"
	"fmt"
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
	return askForBrokers(ctx, client, 1)
}

// askForBrokers returns an error while fewer brokers are registered.
func askForBrokers(ctx context.Context, client *kgo.Client, least int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	answer, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if len(answer.Brokers) < least {
		return fmt.Errorf("%d of %d brokers are registered", len(answer.Brokers), least)
	}
	return nil
}
