package worker_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // for the migrations
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/migrations"
)

const outagePartitions = 4

// outageTime is how long servers are away in these tests.
func outageTime(t *testing.T) time.Duration {
	t.Helper()
	seconds, err := strconv.Atoi(cmp.Or(os.Getenv("OUTAGE_SECONDS"), "8"))
	require.NoError(t, err)
	return time.Duration(seconds) * time.Second
}

// Afterwards one starts that finds Postgres down.
func TestWorker_waitsOutAnOutageOfPostgres(t *testing.T) {
	t.Parallel()
	server := testbed.StartPostgres(t)
	p := onServers(t, testbed.Kafka(t), migrated(t, server.URL()))
	p.outage(func() { server.Stop(testbed.Immediate) }, server.Start)

	server.Stop(testbed.Fast)
	m := p.start()
	p.sendNames(0, 0, 1)
	p.awaitNotReady(m)
	server.Start()
	p.awaitName(0, 0)
	testbed.Eventually(t, func() bool { return len(m.NotReady(t.Context())) == 0 })
	require.NoError(t, m.stop())
}

func TestWorker_waitsOutAnOutageOfKafka(t *testing.T) {
	t.Parallel()
	server := testbed.StartKafka(t)
	p := onServers(t, server.Brokers(), testbed.Migrated(t))
	p.outage(server.Stop, server.Start)
}

// migrated makes the engine's tables in a database.
func migrated(t *testing.T, database string) string {
	t.Helper()
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	defer db.Close()
	_, err = migrations.Up(t.Context(), db, migrations.Options{Lines: migrations.LinesOf(&migrations.Products)})
	require.NoError(t, err)
	return database
}

// onServers is a pipeline on servers of the test's own.
func onServers(t *testing.T, brokers, database string) *pipeline {
	t.Helper()
	p := &pipeline{t: t, brokers: brokers, database: database, maxBatch: 2000, commands: "commands", events: "events", letters: "letters"}
	suffix := fmt.Sprintf("-%d", time.Now().UnixNano())
	admin := kadm.NewClient(p.kafka())
	for _, topic := range []*string{&p.commands, &p.events, &p.letters} {
		*topic += suffix
		_, err := admin.CreateTopic(t.Context(), outagePartitions, 1, nil, *topic)
		require.NoError(t, err)
	}
	return p.connect()
}

// outage takes a server away under load and brings it back: nothing is lost, done twice or refused,
// and work goes on by itself.
func (p *pipeline) outage(stop, start func()) {
	p.t.Helper()
	m := p.start()
	p.createEach(outagePartitions)
	p.await(outagePartitions)
	load := p.load()
	p.awaitEnd(p.events, 200)

	stop()
	away := time.NewTimer(outageTime(p.t))
	p.awaitNotReady(m)
	<-away.C
	require.NotEmpty(p.t, m.NotReady(p.t.Context()))
	start()
	returned := time.Now()
	p.send(0, add(keyOf(0), "canary"))
	p.awaitSubject("canary")
	testbed.Eventually(p.t, func() bool { return len(m.NotReady(p.t.Context())) == 0 })
	p.t.Logf("recovered within %s of the server's return", time.Since(returned))

	sent := load.stop()
	p.awaitAllCommitted()
	p.checkAdded(sent + 1)
	require.NoError(p.t, m.stop())
}

func (p *pipeline) awaitNotReady(m *member) {
	p.t.Helper()
	testbed.Eventually(p.t, func() bool { return len(m.NotReady(p.t.Context())) > 0 })
	p.t.Logf("not ready: %v", m.NotReady(p.t.Context()))
}

// load adds to the partitions' own counters without a pause, until it is stopped.
type load struct {
	end  chan struct{}
	done sync.WaitGroup
	sent int
}

func (p *pipeline) load() *load {
	p.t.Helper()
	const every = 3 * time.Millisecond
	l := &load{end: make(chan struct{})}
	producer := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	l.done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ; ; l.sent++ {
			partition := int32(l.sent % outagePartitions)
			r := add(keyOf(partition), fmt.Sprint("o", l.sent))
			r.Topic, r.Partition = p.commands, partition
			producer.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
				if err != nil {
					p.t.Errorf("load: %v", err)
				}
			})
			select {
			case <-tick.C:
			case <-l.end:
				_ = producer.Flush(context.Background())
				l.sent++
				return
			}
		}
	})
	p.t.Cleanup(func() { _ = l.stop() })
	return l
}

// stop returns how many were sent, all of them acknowledged.
func (l *load) stop() int {
	select {
	case <-l.end:
	default:
		close(l.end)
	}
	l.done.Wait()
	return l.sent
}
