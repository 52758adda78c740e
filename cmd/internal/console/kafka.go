package console

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// kafka is a client that is made when it is first needed and Kafka answers, and then kept.
type kafka struct {
	program  *cli.Program
	settings config.Kafka

	mu     sync.Mutex
	client *kgo.Client
}

func (k *kafka) get(ctx context.Context) (client *kgo.Client, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client == nil {
		k.client, err = k.program.ConnectKafka(ctx, k.settings)
	}
	return k.client, err
}

func (k *kafka) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client != nil {
		k.client.Close()
	}
}
