package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/counters"
	"allocation/deploy/testbed/storetest"
	"allocation/store"
	"allocation/worker"
)

// newer is a command of a newer type, which may wait so long.
func newer(c worker.Command, wait time.Duration) worker.Command {
	c.Type, c.Newer, c.Wait = "", "counters.v2.Add", wait
	c.Refusal = &worker.Refusal{Reason: "unknown_type", Message: "it is not known"}
	return c
}

func backlog(b *storetest.Bench) worker.Backlog {
	b.T.Helper()
	source := b.Claims[0].Source.ID
	backlogs, err := b.Backlogs(b.T.Context(), []int32{source})
	require.NoError(b.T, err)
	return backlogs[source]
}

func TestApply_holdsTheKeyOfANewerCommand(t *testing.T) {
	b := setup(t, 1)
	b.Do(create(0, "CHAIR", "b1", 10))
	applied := b.Do(newer(add(0, "CHAIR", 1), time.Hour), add(0, "CHAIR", 2), newer(add(0, "CHAIR", 3), time.Hour), add(0, "TABLE", 4))
	require.Equal(t, []string{"held", "held", "held", "refused"}, results(applied))
	require.Equal(t, []string{"refused newer_version"}, says(applied.Rows[0])[:1])
	require.Equal(t, []string{"held"}, results(b.Do(newer(addTo(0, "b1", 1), time.Hour))), "its key is found by its name")
	require.Equal(t, []string{"refused"}, results(b.Do(newer(addTo(0, "none", 1), time.Hour))), "there is nothing to hold")

	require.Equal(t, worker.Backlog{Newer: 1}, backlog(b))
	batch, _ := b.Redrive(0, 10)
	require.True(t, batch.Empty(), "this worker does not know the type, and the time is not over")
	held, err := b.Held(t.Context(), "CHAIR")
	require.NoError(t, err)
	require.WithinDuration(t, held[0].Since.Add(time.Hour), *held[0].WaitsUntil, time.Second)

	b.Service.Later = counters.Later
	old := b.Store
	b.Store = b.Open("newer")
	require.Equal(t, worker.Backlog{Newer: 1, Work: true}, backlog(b))
	b.Store = old
	b.Exec(`update held_keys set waits_until = now()`)
	require.Equal(t, worker.Backlog{Newer: 1, Work: true}, backlog(b))
}

// A worker of the version before that holds a key again does not write until when it waits.
func TestApply_heldAgainByAWorkerOfBeforeWaitsForADecision(t *testing.T) {
	b := setup(t, 1)
	b.Do(newer(add(0, "CHAIR", 1), time.Hour))
	b.DecideLetter(0, 0, store.LetterRetrying)
	_, transaction := b.Redrive(0, 10)
	transaction.Commands[0] = fail(transaction.Commands[0])
	applied, err := b.Apply(t.Context(), transaction)
	require.NoError(t, err)
	b.NextRow[0] += int64(len(applied.Rows[0]))
	require.Equal(t, 1, b.Count(`select count(*) from held_keys where waits_until is null`))
	b.Exec(`update held_keys set waits_until = now()`)
	require.Equal(t, worker.Backlog{Held: 1}, backlog(b))
	batch, _ := b.Redrive(0, 10)
	require.True(t, batch.Empty())
	held, err := b.Held(t.Context(), "CHAIR")
	require.NoError(t, err)
	require.Nil(t, held[0].WaitsUntil)
}

// To decide about many dead letters does not end the wait of those that need no decision.
func TestDecide_leavesOutWhatWaitsForANewerWorker(t *testing.T) {
	b := setup(t, 1)
	b.Do(newer(add(0, "CHAIR", 1), time.Hour), storetest.Command(0, "Add", `{`))
	all := store.Decision{Limit: 10, Discard: true, DryRun: true}
	decided, err := b.Decide(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.1"}, places(decided.Letters))
	require.Zero(t, decided.More)
	all.Filter.Reasons = []string{worker.ReasonNewer}
	decided, err = b.Decide(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, []string{"commands.0.0"}, places(decided.Letters))
	require.NotNil(t, decided.Letters[0].WaitsUntil)
	require.Equal(t, "counters.v2.Add", decided.Letters[0].Type)
}

// A command that an operator had retried, and that waited behind a held key, may hold it itself.
func TestOutcomes_ofACommandThatWaitsForANewerWorker(t *testing.T) {
	b := setup(t, 1)
	b.Do(newer(add(0, "CHAIR", 1), 0), fail(create(0, "CHAIR", "b1", 10)))
	waits, err := retry(b, 0)
	require.NoError(t, err)
	_, transaction := b.Redrive(0, 1)
	require.Equal(t, []string{"held"}, redriven(b, transaction))
	_, err = b.Decide(t.Context(), store.Decision{IDs: []store.RecordID{{"commands", 0, 1}}, Discard: true})
	require.NoError(t, err)
	b.DoRedrive(0, 10)
	_, transaction = b.Redrive(0, 1)
	transaction.Free = nil
	transaction.Commands[0] = newer(transaction.Commands[0], time.Minute)
	require.Equal(t, []string{"held"}, redriven(b, transaction))
	require.Equal(t, []string{"waitsCHAIR"}, outcomes(b, waits))
}

func TestService_typeOf(t *testing.T) {
	t.Parallel()
	service := counters.Service
	service.Later = counters.Later
	require.Equal(t, "counters.v1.Add", service.TypeOf("Add"))
	require.Equal(t, "counters.v2.Add", service.TypeOf("v2.Add"))
}

func redriven(b *storetest.Bench, transaction worker.Transaction) []string {
	b.T.Helper()
	applied, err := b.Apply(b.T.Context(), transaction)
	require.NoError(b.T, err)
	b.NextRow[0] += int64(len(applied.Rows[0]))
	return results(applied)
}
