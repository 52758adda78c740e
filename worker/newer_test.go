package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/counters"
)

// newer is a command of a type that only a newer worker knows. It adds to a counter, and the name
// is the subject of its event.
func newer(key, name string, n int) *kgo.Record {
	return typed("counters.v2.Add", command("", `{"key":%q,"name":%q,"n":%d}`, key, name, n))
}

// typed gives a command another type.
func typed(kind string, r *kgo.Record) *kgo.Record {
	r.Headers = []kgo.RecordHeader{{Key: "ce_type", Value: []byte(kind)}}
	return r
}

// endWait ends the time for which held keys wait for a newer worker.
func (p *pipeline) endWait() {
	p.t.Helper()
	p.execute(`update held_keys set waits_until = now() where waits_until > now()`)
}

// A command of a newer type holds its own key, and nothing else, until a worker comes that knows
// the type. That one applies it and what waits behind it, in order and once.
func TestPromise3_aNewerTypeWaitsInItsPlaceForANewerWorker(t *testing.T) {
	p := setup(t, 2)
	p.wait = time.Hour
	old := p.start()
	p.send(0, create("a", "first", 100), create("b", "other", 100), newer("a", "n1", 10), add("a", "o1"), newer("a", "n2", 10), add("a", "o2"))
	p.awaitCommitted(map[int32]int64{0: 6})
	p.send(1, addTo("first"), add("b", "t1"))
	got := p.await(2 + 1 + 1)
	require.Equal(t, []string{"t1"}, added(got), "only others go on")
	letter := letters(got, p.letters)
	require.Equal(t, "newer_version", header(letter[0], "dlq-reason"))
	require.Equal(t, "2", header(letter[0], "dlq-original-offset"))
	p.awaitCommitted(map[int32]int64{0: 6, 1: 2})
	testbed.Eventually(t, func() bool { return old.gauge("newer_keys") == 1 })
	require.Zero(t, old.gauge("held_keys"), "nobody has to decide")
	require.Empty(t, old.values("refusals_total"))
	require.NoError(t, old.stop())

	p.later = counters.Later
	p.start()
	got = p.await(4 + 1 + 5)
	require.Equal(t, []string{"t1", "n1", "o1", "n2", "o2", "first"}, added(got), "what waited is applied in order")
	require.Equal(t, "retried", header(letters(got, p.letters)[1], "dlq-decision"))
	require.Zero(t, p.number(`select count(*) from held_keys`))
	p.send(1, newer("a", "n3", 1), add("a", "o3"))
	require.JSONEq(t, `{"key":"a","value":125}`, string(p.await(12)[11].Value))
}

// Of two workers in one group, the one that has a key's partition does not know the type, and what
// comes for the key by the other one's waits, too.
func TestPromise3_aNewerTypeWaitsWhileOldAndNewWorkersShareTheGroup(t *testing.T) {
	p := setup(t, 2)
	p.wait = time.Hour
	old := p.start()
	p.send(0, create("a", "first", 100), newer("a", "n1", 10))
	p.send(1, create("b", "other", 100), newer("b", "n2", 10))
	p.await(4)
	p.later = counters.Later
	p.start()
	got := p.await(4 + 2) // the new worker has one of the partitions, and applies what waited of it
	require.Len(t, added(got), 1)
	testbed.Eventually(t, func() bool { return old.gauge("newer_keys") == 1 })
	p.send(0, add("a", "o1"), add("b", "o2"))
	p.send(1, add("a", "o3"), add("b", "o4"))
	got = p.await(6 + 2)
	require.Len(t, added(got), 3, "two of the key that is free")
	require.NoError(t, old.stop())
	got = p.await(8 + 4)
	require.Equal(t, 2, p.number(`select count(*) from counters where value = 112`))
	require.Len(t, added(got), 6)
	require.Len(t, letters(got, p.letters), 4, "two letters, and what became of them")
}

// Without a newer worker, a command of a newer type is refused when its time is over, and what
// waits behind it goes on. One that waited behind it waits from when it came.
func TestPromise4_aNewerTypeIsRefusedWhenItsTimeIsOver(t *testing.T) {
	p := setup(t, 1)
	p.wait = time.Hour
	p.start()
	p.send(0, create("a", "first", 100), newer("a", "n1", 10), add("a", "o1"), add("a", "o2"), add("a", "o3"), newer("a", "n2", 10), add("a", "o4"))
	p.awaitCommitted(map[int32]int64{0: 7})
	p.execute(`update held_commands set held_at = held_at - interval '30 min'`)
	p.endWait()
	got := p.await(2 + 2 + 3 + 1)
	require.Equal(t, []string{"newer_version", "retried", "unknown_type", "newer_version"}, reasons(letters(got, p.letters)))
	require.Equal(t, []string{"o1", "o2", "o3"}, added(got), "the next of a newer type holds the key again")
	require.Equal(t, 1, p.number(`select count(*) from held_keys where waits_until between now() + interval '20 min' and now() + interval '30 min'`))
	p.endWait()
	got = p.await(8 + 2 + 1)
	require.Equal(t, []string{"retried", "unknown_type"}, reasons(letters(got, p.letters))[4:])
	require.Equal(t, []string{"o1", "o2", "o3", "o4"}, added(got))
	testbed.Eventually(t, func() bool { return p.number(`select count(*) from held_keys`) == 0 })
}

// reasons are those of dead letters, and the decisions on them.
func reasons(letters []*kgo.Record) (said []string) {
	for _, r := range letters {
		said = append(said, header(r, "dlq-reason")+header(r, "dlq-decision"))
	}
	return said
}

// Only a newer type waits, and only where workers are told to wait and know a key for it.
func TestWorker_refusesAtOnceWhatIsNoNewerType(t *testing.T) {
	p := setup(t, 1)
	usual := p.start()
	p.send(0, create("a", "first", 100), newer("a", "n1", 10), add("a", "o1"))
	require.Equal(t, []string{"unknown_type"}, reasons(letters(p.await(3), p.letters)))
	require.NoError(t, usual.stop())

	p.wait = time.Hour
	p.start()
	slips := []string{"counters.v1.Ad", "counters.v1.v2.Add", "counters.v2.", "counters.v02.Add", "counters.v2.Add!", "counters.2.Add", "stock.v2.Add"}
	for _, slip := range slips {
		p.send(0, typed(slip, add("a", "slip")))
	}
	p.send(0, typed("counters.v2.Add", command("", `{"n":1}`)), add("a", "o2"))
	got := p.await(3 + len(slips) + 2)
	for _, reason := range reasons(letters(got, p.letters)) {
		require.Equal(t, "unknown_type", reason)
	}
	require.Equal(t, []string{"o1", "o2"}, added(got))
}
