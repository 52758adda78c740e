package testbed

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Connect opens a connection to a database that ends with the test.
func Connect(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Client makes a client of Kafka that sees soon what changes, and ends with the test.
func Client(t testing.TB, brokers string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.MetadataMinAge(10 * time.Millisecond)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Reader is a Client that reads topics from their start.
func Reader(t testing.TB, brokers string, topics ...string) *kgo.Client {
	t.Helper()
	return Client(t, brokers, kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
}

// Admin is a Client that administers.
func Admin(t testing.TB, brokers string) *kadm.Client {
	t.Helper()
	return kadm.NewClient(Client(t, brokers))
}
