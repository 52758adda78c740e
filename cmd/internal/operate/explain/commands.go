package explain

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

// Servers are where commands are looked for.
type Servers struct {
	config.Kafka
	config.Database
}

// Commands finds commands, and says what became of them.
type Commands struct {
	Program *cli.Program
	Store   *store.Store
	Kafka   config.Kafka
	Connect func(context.Context) (*kgo.Client, error) // gives a client that its caller does not close
	Words   Words
}

// Commands are those of the servers. Their Kafka is asked when it is first needed. The caller calls
// done.
func (s *Servers) Commands(p *cli.Program, db *store.Store, w Words) (c *Commands, done func()) {
	var client *kgo.Client
	connect := func(ctx context.Context) (_ *kgo.Client, err error) {
		if client == nil {
			client, err = p.ConnectKafka(ctx, s.Kafka, RecordRoom)
		}
		return client, err
	}
	done = func() {
		if client != nil {
			client.Close()
		}
	}
	return &Commands{p, db, s.Kafka, connect, w}, done
}
