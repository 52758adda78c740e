package console

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
)

// kafka is a client that is made when it is first needed and Kafka answers, and then kept.
type kafka struct {
	program  *cli.Program
	settings config.Kafka
	client   chan *kgo.Client // holds one; nil: it is not made yet
}

func newKafka(program *cli.Program, settings config.Kafka) *kafka {
	k := &kafka{program, settings, make(chan *kgo.Client, 1)}
	k.client <- nil
	return k
}

// get gives the client. Who waits for another that makes it waits no longer than for Kafka.
func (k *kafka) get(ctx context.Context) (client *kgo.Client, err error) {
	select {
	case client = <-k.client:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { k.client <- client }()
	if client == nil {
		client, err = k.program.ConnectKafka(ctx, k.settings, explain.RecordRoom)
	}
	return client, err
}

func (k *kafka) close() {
	if client := <-k.client; client != nil {
		client.Close()
	}
	k.client <- nil
}
