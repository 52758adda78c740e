package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
)

// shop is both services in one database, each in a schema of its own, with topics that only they
// use. A test plays the customer and the warehouse.
type shop struct {
	t                                                   *testing.T
	programs                                            map[string]string
	brokers, database                                   string
	orders, facts, events, stock, letters, stockLetters string

	stockWorker *testbed.Process

	client   *kgo.Client
	consumer *kgo.Client
	db       *pgxpool.Pool
	seen     []string // the events of orders, in short
}

// setup starts a worker of each service. cartTime is after how long what is in a cart expires.
func setup(t *testing.T, cartTime string) *shop {
	t.Helper()
	t.Parallel()
	s := &shop{
		t: t, programs: map[string]string{}, brokers: testbed.Kafka(t), database: testbed.Migrated(t),
		orders: testbed.Topic(t, "orders.commands", 3), facts: testbed.Topic(t, "allocation.events", 3), events: testbed.Topic(t, "orders.events", 3),
		stock: testbed.Topic(t, "warehouse.commands", 3), letters: testbed.Topic(t, "orders.commands.dlq", 1), stockLetters: testbed.Topic(t, "warehouse.commands.dlq", 1),
	}
	for _, name := range []string{"allocation", "orders"} {
		var err error
		s.programs[name], err = testbed.Build("allocation/cmd/" + name)
		require.NoError(t, err)
	}
	s.client = s.kafka()
	s.consumer = s.kafka(kgo.ConsumeTopics(s.events), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	var err error
	s.db, err = pgxpool.New(context.Background(), testbed.WithOptions(t, s.database, "search_path", "orders,allocation"))
	require.NoError(t, err)
	t.Cleanup(s.db.Close)
	s.run("orders", "migrate", "up")
	s.stockWorker = testbed.StartWorker(t, s.programs["allocation"], s.variables()...)
	testbed.StartPrefixedWorker(t, "ORDERS_", s.programs["orders"], append(s.variables(), "ORDERS_CART_TIME="+cartTime)...)
	return s
}

func (s *shop) kafka(opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(s.brokers, ",")...), kgo.MetadataMinAge(100*time.Millisecond), kgo.ProducerLinger(0))...)
	require.NoError(s.t, err)
	s.t.Cleanup(client.Close)
	return client
}

// variables are those of both services: one's never reach the other.
func (s *shop) variables() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"KAFKA_BROKERS=" + s.brokers, "DATABASE_URL=" + s.database, "KAFKA_GROUP_ID=" + s.stock, "COMMAND_TOPICS=" + s.stock, "EVENTS_TOPIC=" + s.facts,
		"DEAD_LETTER_TOPIC=" + s.stockLetters, "APPLIERS=2", "LOG_FORMAT=text",
		"ORDERS_KAFKA_BROKERS=" + s.brokers, "ORDERS_DATABASE_URL=" + s.database, "ORDERS_KAFKA_GROUP_ID=" + s.orders, "ORDERS_COMMAND_TOPICS=" + s.orders,
		"ORDERS_EVENTS_TOPIC=" + s.events, "ORDERS_DEAD_LETTER_TOPIC=" + s.letters, "ORDERS_APPLIERS=2", "ORDERS_LOG_FORMAT=text",
		"ORDERS_OTHER_TOPICS=allocation.events=" + s.facts + ",warehouse.commands=" + s.stock,
	}
}

// run runs a subcommand to its end, and gives what it printed.
func (s *shop) run(program string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.programs[program], args...)
	cmd.Env = s.variables()
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	return string(out)
}

// send sends a command to orders, or to stock.
func (s *shop) send(topic, prefix, kind, key, format string, args ...any) {
	s.t.Helper()
	s.sendAt(time.Time{}, topic, prefix, kind, key, format, args...)
}

// sendAt sends a command with a timestamp, that of now if it is zero.
func (s *shop) sendAt(at time.Time, topic, prefix, kind, key, format string, args ...any) {
	s.t.Helper()
	r := &kgo.Record{Topic: topic, Timestamp: at, Key: []byte(key), Value: fmt.Appendf(nil, format, args...), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte(prefix + kind)}, {Key: "ce_id", Value: []byte(uuid.NewString())},
	}}
	require.NoError(s.t, s.client.ProduceSync(s.t.Context(), r).FirstErr())
}

func (s *shop) customer(kind, format string, args ...any) {
	s.t.Helper()
	s.send(s.orders, "orders.v1.", kind, "alice", `{"customerid":"alice",`+format+`}`, args...)
}

func (s *shop) warehouse(kind, sku, format string, args ...any) {
	s.t.Helper()
	s.send(s.stock, "allocation.v1.", kind, sku, `{"sku":"`+sku+`",`+format+`}`, args...)
}

func (s *shop) add(cart, sku string, qty int) {
	s.t.Helper()
	s.customer("AddToCart", `"cartid":%q,"sku":%q,"qty":%d`, cart, sku, qty)
}

// await reads events of orders until these have come, after those of before.
func (s *shop) await(want ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	before := len(s.seen)
	for len(s.seen) < before+len(want) && ctx.Err() == nil {
		s.consumer.PollFetches(ctx).EachRecord(func(r *kgo.Record) { s.seen = append(s.seen, s.short(r)) })
	}
	require.Equal(s.t, want, s.seen[before:])
}

// short is an event as people write it. Its sequence is the next one.
func (s *shop) short(r *kgo.Record) string {
	s.t.Helper()
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	require.Equal(s.t, "alice", string(r.Key))
	require.Equal(s.t, "/orders", headers["ce_source"])
	require.Equal(s.t, fmt.Sprintf("%019d", len(s.seen)+1), headers["ce_sequence"])
	var d struct {
		OrderID, LineID, Reason string
		Lines                   []struct{ LineID, BatchRef string }
	}
	require.NoError(s.t, json.Unmarshal(r.Value, &d))
	words := []string{strings.TrimPrefix(headers["ce_type"], "orders.v1."), d.OrderID}
	for _, word := range []string{d.LineID, d.Reason} {
		if word != "" {
			words = append(words, word)
		}
	}
	for _, l := range d.Lines {
		words = append(words, l.LineID+"@"+l.BatchRef)
	}
	return strings.Join(words, " ")
}

// awaitRow waits until a query of the tables gives this text.
func (s *shop) awaitRow(want, sql string, args ...any) {
	s.t.Helper()
	got := ""
	testbed.Eventually(s.t, func() bool {
		return s.db.QueryRow(s.t.Context(), sql, args...).Scan(&got) == nil && got == want
	}, "%s %v is %s", sql, args, want)
}

// awaitLine waits until a line of an order is so, as orders knows it.
func (s *shop) awaitLine(order, want string) {
	s.t.Helper()
	s.awaitRow(want, `select concat_ws(' ', o.phase, l.state, l.batch) from orders.orders o join orders.order_lines l on l.order_id = o.id where o.id = $1 and l.line_id = '1'`, order)
}
