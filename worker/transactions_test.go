package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Only committed records of transactional producers are commands, and what is skipped moves the
// position: aborted records and the markers of aborts and commits, also where nothing comes after
// them.
func TestWorker_appliesOnlyCommittedTransactions(t *testing.T) {
	p := setup(t, 2)
	m := p.start()
	producer := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(p.group))
	var want []string
	transactions := 0
	for _, until := range []struct { // the log has nothing more for a while
		commits []bool
		plain   bool // a command without a transaction comes after each
	}{
		{commits: []bool{false}},
		{commits: []bool{true}},
		{commits: []bool{true, false}},
		{commits: []bool{false, true}},
		{commits: []bool{true, false, false, false}},
		{commits: []bool{false, true, false, true, false}, plain: true},
	} {
		for _, commit := range until.commits {
			transactions++
			names := p.transaction(producer, fmt.Sprint("t", transactions), commit)
			if commit {
				want = append(want, names...)
			}
			if until.plain {
				name := fmt.Sprint("plain", transactions)
				p.send(0, create("a", name, 1))
				want = append(want, name)
			}
		}
		p.awaitAllCommitted()
		p.checkNames(want)
	}
	require.ElementsMatch(t, want, subjects(p.await(len(want))))
	require.NoError(t, m.stop())
}

// Aborted records before a worker starts are skipped as well, and lag is zero though nothing was
// ever applied.
func TestWorker_skipsABacklogOfAborts(t *testing.T) {
	p := setup(t, 2)
	producer := p.kafka(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(p.group))
	for i := range 5 {
		p.transaction(producer, fmt.Sprint("t", i), false)
	}
	m := p.start()
	p.awaitAllCommitted()
	require.NoError(t, m.stop())
	p.checkNames(nil)
}

// transaction gives three names by each partition, and commits or aborts.
func (p *pipeline) transaction(producer *kgo.Client, transaction string, commit bool) (names []string) {
	p.t.Helper()
	require.NoError(p.t, producer.BeginTransaction())
	for i := range 6 {
		name := fmt.Sprint(transaction, "-", i)
		r := create("a", name, 1)
		r.Topic, r.Partition = p.commands, int32(i%2)
		require.NoError(p.t, producer.ProduceSync(p.t.Context(), r).FirstErr())
		names = append(names, name)
	}
	end := kgo.TryAbort
	if commit {
		end = kgo.TryCommit
	}
	require.NoError(p.t, producer.EndTransaction(p.t.Context(), end))
	return names
}

func subjects(records []*kgo.Record) (out []string) {
	for _, r := range records {
		out = append(out, header(r, "ce_subject"))
	}
	return out
}
