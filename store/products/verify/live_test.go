package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/traffic"
	"allocation/store/verify"
	"allocation/worker"
)

// What changes while it is verified gives no false alarm, in one pass or in many.
func TestRun_findsNothingWhileWorkersWork(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	load := newRandomLoad()
	for range 5 {
		b.apply(load.commands(200)...)
	}
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	var batches int
	var err error
	working.Go(func() {
		for ctx.Err() == nil && err == nil {
			err = b.tryApply(load.commands(1 + rand.IntN(40)))
			batches++
		}
	})
	for _, o := range []verify.Options{{}, {Memory: 100_000}, {Memory: 400_000}, {Key: "SKU-1"}, {}} {
		found, summary := b.verify(o)
		require.Empty(t, found)
		require.Zero(t, summary.HistoryCut)
		t.Logf("%+v", summary)
	}
	stop()
	working.Wait()
	require.NoError(t, err)
	require.Greater(t, batches, 20)
}

// A product with very many lines is verified in little memory, by several passes, and in short
// snapshots.
func TestRun_boundedMemory(t *testing.T) {
	testbed.Long(t)
	const orders, memory = 100_000, 8 << 20
	b := setup(t, 1)
	b.apply(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, orders/2))
	for from := 0; from < orders; from += 4000 {
		var commands []worker.Command
		for i := range 4000 {
			commands = append(commands, command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, from+i))
		}
		b.apply(commands...)
	}
	b.Exec(`update lines set placed = placed + 500000 where orderid = 'o77777'; update products set version = 500000 + version; analyze`)

	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	most, calls := uint64(0), 0
	found, summary := b.verify(verify.Options{Memory: memory, Progress: func(string, int64) {
		if calls++; calls%40 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
		}
	}})
	t.Logf("%d lines in %d passes, at most %d MiB more than before", summary.Lines, summary.Passes, most>>20)
	require.EqualValues(t, orders, summary.Lines)
	require.Greater(t, summary.Passes, int64(3))
	require.Less(t, most, uint64(16<<20), "the fold, a chunk of rows and the rows read ahead")
	var checks []string
	for _, d := range found {
		checks = append(checks, d.Check+" "+d.Row)
	}
	require.ElementsMatch(t, []string{"version CHAIR", "placed order o77777", "events CHAIR", "events order o77777"}, checks)
}

// Days that were dropped are not missed, and what they leave unchecked is counted.
func TestRun_countsWhatIsNoLongerKept(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	b.Exec(`create table outbox_20200101 (like outbox including all);
		alter table outbox attach partition outbox_20200101 for values from ('2020-01-01') to ('2020-01-02')`)
	b.story()
	b.Exec(`update outbox set day = '2020-01-01' where key = 'CHAIR' and sequence <= 4;
		update lines l set last_day = o.day from outbox o where l.last_source = o.source and l.last_row = o.row_no;
		update positions set published_row = next_row;
		create temp table old as select * from outbox;
		drop table outbox_20200101`)
	b.apply(command(1, "Allocate", `{"orderid":"o6","sku":"CHAIR","qty":2}`))
	found, summary := b.verify(verify.Options{})
	require.Empty(t, found)
	require.EqualValues(t, 1, summary.Folded)
	require.EqualValues(t, 1, summary.HistoryCut)
}

func TestRun_stopsAtAnErrorOfTheReport(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	b.story()
	b.Exec(`update products set waiting = 9`)
	full := errors.New("the disk is full")
	_, err := Run(t.Context(), b.Store, verify.Options{Report: func(verify.Difference) error { return full }})
	require.ErrorIs(t, err, full)
}

// randomLoad makes commands about a few products, by any of three partitions.
type randomLoad struct {
	traffic.Maker
	products []*traffic.Product
}

func newRandomLoad() *randomLoad {
	l := &randomLoad{Maker: traffic.Maker{Rand: rand.New(rand.NewPCG(rand.Uint64(), 0))}}
	for n := range 6 {
		l.products = append(l.products, &traffic.Product{SKU: fmt.Sprintf("SKU-%d", n)})
	}
	return l
}

func (l *randomLoad) commands(n int) (commands []worker.Command) {
	product := func() *traffic.Product { return l.products[l.IntN(len(l.products))] }
	for range n {
		kind, data := l.Content(product(), product())
		commands = append(commands, command(l.IntN(3), kind, "%s", data))
	}
	return commands
}
