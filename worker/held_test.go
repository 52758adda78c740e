package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/worker"
)

// query runs a statement in the pipeline's database.
func (p *pipeline) query(sql string, args ...any) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.database)
	require.NoError(p.t, err)
	defer conn.Close(p.t.Context())
	_, err = conn.Exec(p.t.Context(), sql, args...)
	require.NoError(p.t, err)
}

// poison makes Postgres do something to every order whose id begins with poison.
func (p *pipeline) poison(does string) {
	p.t.Helper()
	p.query(`
create function poison() returns trigger language plpgsql as $$ begin if new.orderid like 'poison%' then ` + does + `; end if; return new; end $$;
create trigger poison before insert on lines for each row execute function poison()`)
}

func (p *pipeline) cure() {
	p.t.Helper()
	p.query(`drop trigger poison on lines`)
}

// decideLetters notes an operator's decision on all open dead letters, and tells the workers.
func (p *pipeline) decideLetters(state string) {
	p.t.Helper()
	p.query(`with decided as (update dead_letters set state = '` + state + `' where state = 'open' returning 1) select pg_notify('allocation_decided', '') from decided limit 1`)
}

// orders are the orders of records of a type, in order of first appearance.
func orders(records []*kgo.Record, kind string) (ids []string) {
	seen := map[string]bool{}
	for _, r := range records {
		if id := header(r, "ce_id"); header(r, "ce_type") == typePrefix+kind && !seen[id] {
			seen[id] = true
			ids = append(ids, header(r, "ce_subject"))
		}
	}
	return ids
}

// A command that fails for a reason that nobody foresaw holds its own product, in whatever
// partition, and nothing else.
func TestPromise4_aCommandThatFailsUnexpectedlyHoldsOnlyItsProduct(t *testing.T) {
	for name, does := range map[string]string{
		"an error":   `raise exception 'odd'`,
		"a time-out": `perform pg_sleep(60)`,
	} {
		t.Run(name, func(t *testing.T) {
			p := setup(t, 2)
			p.database += "&statement_timeout=700"
			p.poison(does)
			p.start()
			p.send(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`)
			p.send(0, "CreateBatch", `{"ref":"b2","sku":"TABLE","qty":100}`)
			p.send(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)
			p.send(0, "Allocate", `{"orderid":"poison","sku":"CHAIR","qty":1}`)
			p.send(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":1}`)
			for i := range 20 {
				p.send(0, "Allocate", `{"orderid":"t%d","sku":"TABLE","qty":1}`, i)
			}
			got := p.await(2 + 1 + 20 + 1)
			require.Equal(t, []string{"o1"}, orders(got, "Allocated")[:1])
			require.Len(t, orders(got, "Allocated"), 21, "all but those of the held product")
			p.send(1, "Allocate", `{"orderid":"o3","sku":"CHAIR","qty":1}`)
			p.send(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":90}`)
			p.awaitCommitted(map[int32]int64{0: 25, 1: 2})

			letter := letters(got, p.letters)
			require.Len(t, letter, 1)
			require.Equal(t, "internal", header(letter[0], "dlq-reason"))
			require.Equal(t, "3", header(letter[0], "dlq-original-offset"))

			p.cure()
			p.decideLetters("retrying")
			got = p.await(24 + 1 + 4)
			require.Equal(t, []string{"poison", "o2", "o3"}, orders(got, "Allocated")[21:], "what waited is applied in order")
			require.Equal(t, "retried", header(letters(got, p.letters)[1], "dlq-decision"))
			p.send(1, "Allocate", `{"orderid":"o4","sku":"CHAIR","qty":1}`)
			p.await(30)
		})
	}
}

func letters(records []*kgo.Record, topic string) (found []*kgo.Record) {
	for _, r := range records {
		if r.Topic == topic {
			found = append(found, r)
		}
	}
	return found
}

// A retry that fails again does not stop its partition either, nor does what waits behind it.
func TestPromise4_aRetryThatFailsAgainIsHeldAgain(t *testing.T) {
	p := setup(t, 1)
	p.poison(`raise exception 'odd'`)
	p.start()
	p.send(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`)
	p.send(0, "Allocate", `{"orderid":"poison1","sku":"CHAIR","qty":1}`)
	p.send(0, "Allocate", `{"orderid":"poison2","sku":"CHAIR","qty":1}`)
	p.send(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`)
	p.send(0, "CreateBatch", `{"ref":"b2","sku":"TABLE","qty":100}`)
	p.await(3)
	p.decideLetters("retrying")
	got := p.await(5)
	require.Len(t, letters(got, p.letters), 3, "a letter, a decision, a letter")
	p.decideLetters("discarding")
	got = p.await(7)
	require.Len(t, letters(got, p.letters), 5, "a decision, and a letter of what waited first")
	p.cure()
	p.decideLetters("retrying")
	got = p.await(10)
	require.Equal(t, []string{"poison2", "o1"}, orders(got, "Allocated"))
}

// If every command fails, it is not the commands.
func TestPromise5_whenEverythingFailsLittleIsHeld(t *testing.T) {
	p := setup(t, 4)
	var healed atomic.Bool
	var failures atomic.Int32
	enough := make(chan struct{})
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		decides := false
		for _, c := range transaction.Commands {
			decides = decides || c.Failure == ""
		}
		if decides && !healed.Load() {
			if failures.Add(1) == 35 {
				close(enough)
			}
			return worker.Applied{}, errors.New("everything is odd")
		}
		return real.Apply(ctx, transaction)
	})
	for i := range 40 {
		p.send(int32(i%4), "CreateBatch", `{"ref":"b%d","sku":"SKU%d","qty":100}`, i, i)
	}
	<-enough
	healed.Store(true)
	got := p.await(40)
	require.LessOrEqual(t, len(letters(got, p.letters)), 3)
	for _, r := range letters(got, p.letters) {
		require.True(t, strings.HasPrefix(header(r, "dlq-message"), "it failed 6 times"), fmt.Sprint(header(r, "dlq-message")))
	}
}

// A mistake of the program that one command leads to must not end the process.
func TestPromise4_aPanicIsTheCommandsFault(t *testing.T) {
	p := setup(t, 1)
	p.startFaulty(func(ctx context.Context, real worker.Store, transaction worker.Transaction) (worker.Applied, error) {
		for _, c := range transaction.Commands {
			if strings.Contains(string(c.Data), "poison") && c.Failure == "" {
				panic("odd")
			}
		}
		return real.Apply(ctx, transaction)
	})
	p.send(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":100}`)
	p.send(0, "Allocate", `{"orderid":"poison","sku":"CHAIR","qty":1}`)
	p.send(0, "CreateBatch", `{"ref":"b2","sku":"TABLE","qty":100}`)
	got := p.await(3)
	require.Contains(t, header(letters(got, p.letters)[0], "dlq-message"), "panicked: odd")
}
