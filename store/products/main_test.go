package products

import (
	"sync"
	"testing"
	"time"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/store"
)

// As the store has them.
const (
	callTimeout  = 35 * time.Second // the longest call
	lockTimeout  = 20 * time.Second
	blockedAfter = 2 * time.Second // who waits longer looks for whom it waits
)

func TestMain(m *testing.M) { testbed.Main(m) }

var (
	command       = storetest.Command
	typed         = storetest.Typed
	fail          = storetest.Fail
	onlyPartition = storetest.OnlyPartition
	says          = storetest.Says
	results       = storetest.Results
)

// bench is a store of products on a database of its own, with partitions claimed.
type bench struct {
	*storetest.Bench
	made *made
}

// made are the aggregates of all appliers, in the order in which they were made.
type made struct {
	mu  sync.Mutex
	all []*aggregate
}

func (m *made) aggregate() store.Aggregate {
	a := newAggregate()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, a)
	return a
}

func setup(t *testing.T, partitions int) *bench {
	t.Helper()
	b := &bench{made: &made{}}
	service := Service
	service.Aggregate = b.made.aggregate
	b.Bench = storetest.New(t, service, partitions)
	return b
}

// remembered is what the newest applier remembers.
func (b *bench) remembered() *aggregate { return b.made.all[len(b.made.all)-1] }
