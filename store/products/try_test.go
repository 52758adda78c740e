package products

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/domain/product"
	"allocation/store"
	"allocation/worker"
)

// tried are answers as text.
func tried(answers []store.Tried) (out []string) {
	for i := range answers {
		switch a := &answers[i]; {
		case a.Refusal != nil:
			out = append(out, "refused "+a.Refusal.Reason)
		case a.Waits != nil:
			out = append(out, "held by "+a.Waits.Letter.String())
		default:
			out = append(out, fmt.Sprint(a.Events, " events"))
		}
		out = append(out, told(answers[i].First)...)
	}
	return out
}

// everything has each row of the service, with the transaction that wrote it.
func everything(b *storetest.Bench) string {
	b.T.Helper()
	var all strings.Builder
	rows, err := b.DB.Query(b.T.Context(), `select relname::text from pg_class where relkind in ('r', 'p') and not relispartition
		and relnamespace = 'allocation'::regnamespace and relname not like 'migrations\_%' order by 1`)
	require.NoError(b.T, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.T, err)
	require.Greater(b.T, len(tables), 15)
	for _, table := range tables {
		fmt.Fprintln(&all, table, storetest.Ask[string](b, `select coalesce(string_agg(t.xmin || ' ' || t::text, E'\n' order by t::text), '') from `+table+` t`))
	}
	return all.String()
}

func TestTry_saysWhatWouldHappenAndWhy(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`))
	before := everything(b.Bench)
	answers, err := b.Try(t.Context(), []worker.Command{
		command(0, "ChangeBatchQuantity", `{"batchref":"b1","sku":"CHAIR","qty":25}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":21}`),
		command(0, "Allocate", `{"orderid":"o3","sku":"LAMP","qty":21}`),
		command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`),
	}, 100)
	require.NoError(t, err)
	require.Equal(t, []string{
		"3 events",
		`5 BatchQuantityChanged {"batchref":"b1","sku":"CHAIR","qty":25}`,
		`6 Deallocated {"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`,
		`7 Allocated {"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b2"}`,
		"0 events",
		"refused line_conflict",
		`0 AllocationRejected {"orderid":"o2","sku":"CHAIR","qty":21,"reason":"line_conflict"}`,
		"refused unknown_sku",
		`0 AllocationRejected {"orderid":"o3","sku":"LAMP","qty":21,"reason":"unknown_sku"}`,
		"1 events",
		`8 Dispatched {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1"}`,
	}, tried(answers))
	require.JSONEq(t, `{"passed_over":[{"ref":"b1","available":5}]}`, string(answers[0].First[2].Note))
	require.JSONEq(t, `{"was_qty":50}`, string(answers[0].First[1].Cause.First.Note))
	require.Equal(t, before, everything(b.Bench))
}

// A change goes on while commands are tried, which do not see it.
func TestTry_keepsNobodyWaitingAndSeesOneMoment(t *testing.T) {
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`), command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":5}`))
	changed := false
	tries := b.Interrupted(func() {
		b.Do(command(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`), command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":9}`))
		changed = true
	})
	answers, err := tries.Try(t.Context(), []worker.Command{
		command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":4}`), // needs a second load
		command(0, "CreateBatch", `{"ref":"b2","sku":"RUG","qty":1}`),
	}, 100)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, []string{
		"3 events",
		`3 BatchQuantityChanged {"batchref":"b1","sku":"CHAIR","qty":4}`,
		`4 Deallocated {"orderid":"o1","sku":"CHAIR","qty":5,"batchref":"b1","reason":"batch_reduced"}`,
		`5 OutOfStock {"orderid":"o1","sku":"CHAIR","qty":5}`,
		"1 events",
		`1 BatchCreated {"ref":"b2","sku":"RUG","qty":1}`,
	}, tried(answers))
}

func TestTry_saysBehindWhatACommandWouldWait(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`))
	b.Do(fail(command(1, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)))
	answers, err := b.Try(t.Context(), []worker.Command{
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":1}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":5}`),
		command(0, "ChangeBatchEta", `{"batchref":"b2"}`), // of which nobody knows but the command before
		command(0, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":5}`),
	}, 100)
	require.NoError(t, err)
	require.Equal(t, []string{
		"held by commands.1.0", "held by commands.1.0", "held by commands.1.0", "1 events", `1 BatchCreated {"ref":"l1","sku":"LAMP","qty":5}`,
	}, tried(answers))
	require.Equal(t, "CHAIR", answers[0].Waits.Key)
	require.Equal(t, store.LetterOpen, answers[0].Waits.State)
}

// An operator may read what a worker reads, and no more.
func TestTry_asAnOperator(t *testing.T) {
	b := setup(t, 1)
	const lines = 3
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, lines))
	for i := range lines {
		b.Do(command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, i), command(0, "Allocate", `{"orderid":"w%d","sku":"CHAIR","qty":1}`, i))
	}
	answers, err := b.As("allocation_operator").Try(t.Context(), []worker.Command{
		command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":0}`),  // releases lines
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":9}`), // serves lines that wait
	}, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"7 events", "7 events"}, tried(answers))
	require.Equal(t, map[string]int64{"BatchQuantityChanged": 1, "Deallocated": 3, "OutOfStock": 3}, answers[0].ByType)
	require.Equal(t, map[string]int64{"BatchCreated": 1, "Allocated": 6}, answers[1].ByType)
}

// What comes behind very many events would come into another transaction, and is not tried.
func TestTry_boundsALargeChange(t *testing.T) {
	b := setup(t, 1)
	const lines = maxEvents/2 + 500
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":%d}`, lines))
	for done := 0; done < lines; {
		var commands []worker.Command
		for ; done < lines && len(commands) < 3500; done++ {
			commands = append(commands, command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, done))
		}
		b.Do(commands...)
	}
	commands := []worker.Command{
		command(0, "CreateBatch", `{"ref":"l1","sku":"LAMP","qty":1}`),
		command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":0}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":1}`),
		command(0, "CreateBatch", `{"ref":"b3","sku":"CHAIR","qty":1}`),
	}
	answers, err := b.Try(t.Context(), commands, 10)
	require.NoError(t, err)
	require.Equal(t, 2, len(answers))
	require.Equal(t, 1+2*lines, answers[1].Events)
	require.Len(t, answers[1].First, 10)
	require.Equal(t, map[string]int64{"BatchQuantityChanged": 1, "Deallocated": lines, "OutOfStock": lines}, answers[1].ByType)
}

// anyCommands draws commands of every type, about few products, batches and orders.
func anyCommands(random *rand.Rand) (commands []worker.Command) {
	text := func(name string, n int) string { return fmt.Sprint(name, random.IntN(n)) }
	number := func(most int) int { return 1 + random.IntN(most) }
	maybe := func(part string) string {
		if random.IntN(2) == 0 {
			return ""
		}
		return part
	}
	for range 1 + random.IntN(4) {
		sku, batch, order := text("sku", 3), text("batch", 9), fmt.Sprintf(`"orderid":"o%d"`, random.IntN(25))
		eta := maybe(fmt.Sprintf(`,"eta":"2030-01-%02d"`, number(9)))
		ofSKU, ofBatch := fmt.Sprintf(`,"sku":%q`, sku), fmt.Sprintf(`"batchref":%q`, batch)
		lineOf := order + ofSKU + maybe(fmt.Sprintf(`,"lineid":"l%d"`, random.IntN(2)))
		var kind, data string
		switch random.IntN(9) {
		case 0:
			kind, data = "CreateBatch", fmt.Sprintf(`"ref":%q,"qty":%d`, batch, number(30))+ofSKU+eta
		case 1, 2:
			kind, data = "ChangeBatchQuantity", ofBatch+maybe(ofSKU)+fmt.Sprintf(`,"qty":%d`, random.IntN(30))+maybe(fmt.Sprintf(`,"revision":%d`, number(20)))
		case 3:
			kind, data = "ChangeBatchEta", ofBatch+maybe(ofSKU)+eta
		case 4:
			kind, data = "Deallocate", lineOf
		case 5:
			kind, data = "Dispatch", lineOf
		default:
			kind, data = "Allocate", lineOf+fmt.Sprintf(`,"qty":%d`, number(12))
		}
		c := command(random.IntN(2), kind, "%s", "{"+data+"}")
		c.Cause.CommandID = maybe(text("id", 5))
		commands = append(commands, c)
	}
	return commands
}

// became is what the database has of a command that was applied, as triedAs says what it would
// come to.
func (b *bench) became(c *worker.Command, o worker.Outcome) (out []string) {
	b.T.Helper()
	out = []string{o.Result.String() + " " + o.Reason}
	rows, err := b.DB.Query(b.T.Context(), `select type, coalesce(sequence, 0), key, subject, value, coalesce(note, 'null') from outbox
		where source = $1 and command_offset = $2 and type <> '' and type not like 'dlq-%' order by row_no`, b.Claims[c.Move].Source.ID, c.Offset)
	require.NoError(b.T, err)
	var e store.EventView
	_, err = pgx.ForEachRow(rows, []any{&e.Type, &e.Sequence, &e.Key, &e.Subject, &e.Data, &e.Note}, func() error {
		out = append(out, eventText(b.T, &e))
		return nil
	})
	require.NoError(b.T, err)
	return out
}

func triedAs(t *testing.T, a *store.Tried) (out []string) {
	switch {
	case a.Waits != nil:
		out = []string{worker.Held.String() + " "}
	case a.Refusal != nil:
		out = []string{worker.Refused.String() + " " + a.Refusal.Reason}
	case a.Events == 0:
		out = []string{worker.NoEffect.String() + " "}
	default:
		out = []string{worker.Changed.String() + " "}
	}
	for i := range a.First {
		out = append(out, eventText(t, &a.First[i]))
	}
	require.Len(t, a.First, a.Events)
	return out
}

// eventText is an event, and of its note what it replaced: which batches it names that had too
// little depends on what an applier remembers.
func eventText(t *testing.T, e *store.EventView) string {
	t.Helper()
	var note product.Note
	if e.Note != nil {
		require.NoError(t, json.Unmarshal(e.Note, &note))
	}
	text, err := json.Marshal(product.Note{WasQty: note.WasQty, WasETA: note.WasETA})
	require.NoError(t, err)
	return fmt.Sprintf("%d %s %s %s %s %s", e.Sequence, e.Type, e.Key, e.Subject, e.Data, text)
}

// doAgain applies commands as a worker does, once more after a conflict. A line may be taken for a
// new one, because another one has its slot among those seen lately.
func (b *bench) doAgain(commands ...worker.Command) worker.Applied {
	b.T.Helper()
	transaction := b.Transaction(commands...)
	applied, err := b.Apply(b.T.Context(), transaction)
	if errors.Is(err, worker.ErrConflict) {
		applied, err = b.Apply(b.T.Context(), transaction)
	}
	require.NoError(b.T, err)
	b.Committed(transaction, applied)
	return applied
}

// What is tried is what then happens, also where appliers remember what they read and presume that
// lines are new.
func TestTry_isWhatHappensThen(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	b := setup(t, 2)
	seen := map[string]int{}
	for n := range 150 {
		if n == 100 {
			b.Do(fail(command(0, "Allocate", `{"orderid":"poison","sku":"sku2","qty":1}`)))
		}
		commands := anyCommands(random)
		answers, err := b.Try(t.Context(), commands, 1000)
		require.NoError(t, err)
		require.Len(t, answers, len(commands))
		applied := b.doAgain(commands...)
		for i := range commands {
			c := &commands[i]
			became := b.became(c, applied.Outcomes[i])
			require.Equal(t, became, triedAs(t, &answers[i]), "transaction %d: %s %s", n, c.Type, c.Data)
			seen[applied.Outcomes[i].Result.String()]++
			seen[c.Type]++
		}
	}
	t.Log(seen)
	require.Len(t, seen, 4+6, "every result, and every type")
}
