package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/worker"
)

// poison makes Postgres fail at every counter of a million or more.
func (p *pipeline) poison() {
	p.t.Helper()
	p.execute(`
create function poison() returns trigger language plpgsql as $$ begin if new.value >= 1000000 then raise exception 'odd'; end if; return new; end $$;
create trigger poison before insert or update on counters for each row execute function poison()`)
}

func (p *pipeline) cure() {
	p.t.Helper()
	p.execute(`drop trigger poison on counters`)
}

// poisonous is a command that fails, once poison is there.
func poisonous(key, name string) *kgo.Record {
	return command("Add", `{"key":%q,"name":%q,"n":1000000}`, key, name)
}

// decideLetters notes an operator's decision on all open dead letters, and tells the workers.
func (p *pipeline) decideLetters(state string) {
	p.t.Helper()
	p.execute(`with decided as (update dead_letters set state = '` + state + `' where state = 'open' returning 1) select pg_notify('allocation_decided', '') from decided limit 1`)
}

// A command that fails for a reason that nobody foresaw holds its own key, and nothing else: what
// comes for it waits, by whatever partition and name, and is applied in order after an operator's
// decision.
func TestPromise4_aCommandThatFailsUnexpectedlyHoldsOnlyItsKey(t *testing.T) {
	p := setup(t, 2)
	p.poison()
	p.start()
	p.send(0, create("a", "first", 100), create("b", "other", 100), add("a", "o1"), poisonous("a", "poison"), create("a", "second", 1), add("a", "o2"))
	for i := range 20 {
		p.send(0, add("b", fmt.Sprint("t", i)))
	}
	got := p.await(2 + 1 + 20 + 1)
	require.Equal(t, []string{"o1"}, added(got)[:1])
	require.Len(t, added(got), 21, "all but those of the held key")
	p.send(1, add("a", "o3"), addTo("second"), addTo("first"), add("b", "t20")) // the second name is given by a command that waits
	got = p.await(25)
	require.JSONEq(t, `{"key":"b","value":121}`, string(got[24].Value))
	p.awaitCommitted(map[int32]int64{0: 26, 1: 4})

	letter := letters(got, p.letters)
	require.Len(t, letter, 1)
	require.Equal(t, "internal", header(letter[0], "dlq-reason"))
	require.Equal(t, "3", header(letter[0], "dlq-original-offset"))

	p.cure()
	p.decideLetters("retrying")
	got = p.await(25 + 1 + 6)
	require.Equal(t, []string{"poison", "o2", "o3", "second", "first"}, added(got)[22:], "what waited is applied in order")
	require.Equal(t, "retried", header(letters(got, p.letters)[1], "dlq-decision"))
	p.send(1, add("a", "o4"))
	require.JSONEq(t, `{"key":"a","value":1000107}`, string(p.await(33)[32].Value))
}

// addTo adds one to the counter of a name.
func addTo(name string) *kgo.Record { return command("AddTo", `{"name":%q,"n":1}`, name) }

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
	p.poison()
	p.start()
	p.send(0, create("a", "first", 100), poisonous("a", "poison1"), poisonous("a", "poison2"), add("a", "o1"), create("b", "other", 100))
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
	require.Equal(t, []string{"poison2", "o1"}, added(got))
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
		p.send(int32(i%4), create(fmt.Sprint("key", i), fmt.Sprint("b", i), 100))
	}
	<-enough
	healed.Store(true)
	got := p.await(40)
	require.LessOrEqual(t, len(letters(got, p.letters)), 3)
	for _, r := range letters(got, p.letters) {
		// Six times, or more where another partition could still have shown that commands can be applied.
		require.Regexp(t, `^it failed ([6-9]|\d\d) times`, header(r, "dlq-message"))
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
	p.send(0, create("a", "first", 100), add("a", "poison"), create("b", "other", 100))
	got := p.await(3)
	require.Contains(t, header(letters(got, p.letters)[0], "dlq-message"), "panicked: odd")
}
