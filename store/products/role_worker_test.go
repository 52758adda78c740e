package products

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// work does everything that a worker does, with a topic and a product of its own.
func (b *bench) work(s *store.Store, sku string) error {
	w := &bench{b.Other(s), b.made}
	if err := w.begin(sku); err != nil {
		return err
	}
	for _, batch := range [][]worker.Command{{
		command(0, "CreateBatch", `{"ref":"b1-%s","sku":%q,"qty":50}`, sku, sku),
		command(0, "CreateBatch", `{"ref":"b2-%s","sku":%q,"qty":50}`, sku, sku),
		command(0, "Allocate", `{"orderid":"o1","sku":%q,"qty":20}`, sku),
		command(0, "Allocate", `{}`),
	}, {command(0, "ChangeBatchQuantity", `{"batchref":"b1-%s","qty":1}`, sku), command(0, "Dispatch", `{"orderid":"o1","sku":%q}`, sku)}} {
		made := w.Transaction(batch...)
		made.LockFirst = made.Moves[0].From > 0
		if err := w.tryToApply(made); err != nil {
			return err
		}
	}
	if err := w.holdAndFree(sku, b.Exec); err != nil {
		return err
	}
	if err := w.readAgain("commands-" + sku); err != nil {
		return err
	}
	return w.afterwards()
}

// readAgain refuses a batch of two records, reads it again, and gives up behind the first.
func (b *bench) readAgain(topic string) error {
	first := command(0, "", "")
	first.Batch, first.Refusal = &outbox.RecordBatch{Last: b.Offsets[0] + 1, Records: 2}, &worker.Refusal{Reason: "too_large"}
	made := b.Transaction(first)
	made.Moves[0].To++
	letter := worker.LetterID{Source: b.Claims[0].Source.ID, Row: b.NextRow[0]}
	if err := b.tryToApply(made); err != nil {
		return err
	}
	if _, err := b.Decide(b.T.Context(), store.Decision{IDs: []store.RecordID{{Topic: topic, Offset: made.Commands[0].Offset}}, MaxBytes: 1000}); err != nil {
		return err
	}
	backlogs, err := b.Backlogs(b.T.Context(), []int32{letter.Source})
	if err != nil {
		return err
	}
	require.Equal(b.T, letter, backlogs[letter.Source].Again)
	l, err := b.BeginReread(b.T.Context(), letter, false)
	if err != nil {
		return err
	}
	made = b.Transaction()
	made.Reread = &worker.Reread{Letter: letter, From: l.From, First: l.First, Next: l.Next, To: l.Next + 1}
	if err := b.tryToApply(made); err != nil {
		return err
	}
	l.Next++
	return b.StopReread(b.T.Context(), l, "there is no more")
}

func (b *bench) begin(sku string) error {
	ctx := b.T.Context()
	if err := errors.Join(b.CheckSchema(ctx), b.RememberCluster(ctx, "cluster", "group")); err != nil {
		return err
	}
	id := [16]byte(uuid.New())
	if _, err := b.WriteNonce(ctx, id); err != nil {
		return err
	}
	known, err := b.KnownNonces(ctx, [][16]byte{id, {}})
	if err != nil {
		return err
	}
	require.Equal(b.T, [][16]byte{id}, known)
	requests := []worker.ClaimRequest{{Topic: "commands-" + sku, TopicID: [16]byte{1}}}
	if err := b.EnsurePositions(ctx, requests); err != nil {
		return err
	}
	claims, err := b.Claim(ctx, requests)
	b.Claims, b.Offsets, b.NextRow = claims, []int64{0}, []int64{0}
	return err
}

func (b *bench) tryToApply(transaction worker.Transaction) error {
	applied, err := b.Apply(b.T.Context(), transaction)
	if err == nil {
		b.Committed(transaction, applied)
	}
	return err
}

// once makes a command one that is to be done once.
func once(id string, c worker.Command) worker.Command {
	c.Once, c.Cause.CommandID = true, id
	c.Headers = append(c.Headers, outbox.Header{Key: "ce_id", Value: []byte(id)}, outbox.Header{Key: "ce_once", Value: []byte("true")})
	return c
}

// holdAndFree holds the product behind a command that failed, retries that, holds it behind one
// that waited, and discards that.
func (b *bench) holdAndFree(sku string, sudo func(string)) error {
	allocate := func(order string) worker.Command {
		return typed(command(0, "Allocate", `{"orderid":%q,"sku":%q,"qty":1}`, order, sku))
	}
	if err := b.tryToApply(b.Transaction(fail(once("once "+sku, allocate("o2"))))); err != nil {
		return err
	}
	if err := b.tryToApply(b.Transaction(allocate("o3"), allocate("o4"))); err != nil {
		return err
	}
	_, err := b.BeginProbe(b.T.Context(), b.Transaction().Moves[0], b.Offsets[0]+1, false)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		decision string // of an operator, before
		fails    bool
	}{{decision: "retrying"}, {fails: true}, {decision: "discarding"}, {}} {
		if step.decision != "" {
			sudo(fmt.Sprintf(`update dead_letters set state = '%s' where state = 'open' and reason = 'internal' and key = '%s'`, step.decision, sku))
		}
		_, transaction, err := b.TryToRedrive(0, 1)
		if err != nil {
			return err
		}
		require.Len(b.T, transaction.Commands, 1)
		if step.fails {
			transaction.Commands[0] = fail(transaction.Commands[0])
		}
		if err := b.tryToApply(transaction); err != nil {
			return err
		}
	}
	backlogs, err := b.Backlogs(b.T.Context(), []int32{b.Claims[0].Source.ID})
	require.Empty(b.T, backlogs, "it is free")
	return err
}

// afterwards does what comes beside applying. Another worker claims the source at last, as an
// orphan.
func (b *bench) afterwards() error {
	ctx, claim := b.T.Context(), b.Claims[0]
	_, rows := b.Rows(ctx, claim.Source, 0, b.NextRow[0])
	_, saved := b.SavePublished(ctx, []worker.Progress{{Source: claim.Source.ID, Token: claim.Token, Published: 1}})
	trouble := worker.Trouble{Source: claim.Source.ID, Token: claim.Token, Since: time.Now(), Why: "nothing comes"}
	troubled := errors.Join(b.SaveTroubles(ctx, []worker.Trouble{trouble, {Source: claim.Source.ID + 1, Why: ""}}), b.SaveTroubles(ctx, []worker.Trouble{trouble}))
	made := b.MakeDays(ctx)
	_, dropped := b.DropDays(ctx, 7*24*time.Hour)
	_, indexed := b.IndexDays(ctx)
	_, forgotten := b.DropRequests(ctx)
	_, ahead := b.OutboxDaysAhead(ctx)
	nudged, asked := b.Nudge(ctx, []int32{claim.Source.ID}), b.AskForNonces(ctx)
	positions, held := b.PositionRecords(ctx)
	orphans, claimed := b.ClaimOrphans(ctx, positions)
	err := errors.Join(rows, saved, troubled, made, dropped, indexed, forgotten, ahead, nudged, asked, held, claimed)
	if err == nil {
		require.NotEmpty(b.T, orphans)
	}
	return err
}

func TestRole_aWorkerNeedsEachOfItsRights(t *testing.T) {
	b := setup(t, 0)
	s := b.AsWorker()
	require.NoError(t, b.work(s, "all"))
	n := 0
	without := func(right, kind, name string) {
		n++
		b.Exec(fmt.Sprintf("delete from kafka_cluster; revoke %s on %s %s from allocation_worker", right, kind, name))
		require.ErrorContains(t, b.work(s, fmt.Sprintf("sku-%d", n)), fmt.Sprintf("permission denied for %s %s", kind, name), "without %s", right)
		b.Exec(fmt.Sprintf("grant %s on %s %s to allocation_worker", right, kind, name))
	}
	for table, rights := range mayUse()["allocation_worker"] {
		for _, right := range rights {
			without(right, "table", table)
		}
	}
	for _, function := range mayCallAsOwner["allocation_worker"] {
		if !strings.HasPrefix(function, "keep_") { // triggers call those
			without("execute", "function", function)
		}
	}
	require.NoError(t, b.work(s, "again"))
}
