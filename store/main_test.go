package store_test

import (
	"testing"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

var (
	typed         = storetest.Typed
	fail          = storetest.Fail
	onlyPartition = storetest.OnlyPartition
	says          = storetest.Says
	results       = storetest.Results
)

// setup makes a store of counters on a database of its own, with partitions claimed.
func setup(t *testing.T, partitions int) *storetest.Bench {
	t.Helper()
	return storetest.New(t, counters.Service, partitions, counters.Tables)
}

// create makes a counter, which has a name.
func create(partition int, key, name string, n int) worker.Command {
	return typed(storetest.Command(partition, "Make", `{"key":%q,"name":%q,"n":%d}`, key, name, n))
}

// add adds to a counter.
func add(partition int, key string, n int) worker.Command {
	return typed(storetest.Command(partition, "Add", `{"key":%q,"n":%d}`, key, n))
}

// refill asks another service for more.
func refill(partition int, key, name string, n int) worker.Command {
	return typed(storetest.Command(partition, "Refill", `{"key":%q,"name":%q,"n":%d}`, key, name, n))
}

// addTo adds to the counter of a name.
func addTo(partition int, name string, n int) worker.Command {
	return typed(storetest.Command(partition, "AddTo", `{"name":%q,"n":%d}`, name, n))
}
