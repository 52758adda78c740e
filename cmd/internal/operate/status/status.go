package status

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/offsets"
	"allocation/store"
)

// Status is how a service is. In JSON it is public contract.
type Status struct {
	Schema      Schema             `json:"schema"`
	Workers     []store.WorkerView `json:"workers"`
	Topics      []Topic            `json:"topics"` // of commands; none where Kafka did not answer
	Held        store.Backlog      `json:"held"`
	Newer       store.Backlog      `json:"held_for_newer_worker"` // until a newer worker comes: nobody need act
	Letters     store.Backlog      `json:"dead_letters_open"`
	Decided     store.Backlog      `json:"dead_letters_decided"` // which no worker has done yet
	Waiting     *Waiting           `json:"waiting,omitempty"`
	Transaction *Transaction       `json:"oldest_transaction,omitempty"`
	Needs       []Need             `json:"needs_person"`
}

// Schema is the version of the database's schema.
type Schema struct {
	Version string `json:"version"`
	Needs   string `json:"needs"` // the version of this program
	Fits    bool   `json:"fits"`
}

// Topic sums up the partitions of a topic of commands.
type Topic struct {
	Topic      string           `json:"topic"`
	Partitions int              `json:"partitions"`
	Lag        int64            `json:"lag"`         // of those whose lag is known
	LargestLag int64            `json:"largest_lag"` // of a partition
	States     map[string]int64 `json:"states"`      // how many partitions are in each: see offsets list
}

// Waiting is what waits in the service's own tables.
type Waiting struct {
	Name string `json:"name"`
	store.Backlog
	One string `json:"-"` // what one is called
}

// Transaction is what keeps Postgres from cleaning dead rows the most.
type Transaction struct {
	Holder string  `json:"holder"`
	Age    float64 `json:"at_least_seconds"`
}

// Need is something that needs a person.
type Need struct {
	What    string `json:"what"` // a word: schema, workers, kafka, partitions, held, dead_letters, or transaction
	Says    string `json:"says"`
	Command string `json:"command"` // that shows more, or mends it
}

// mostWaiting bounds what is counted while somebody waits for the answer.
const mostWaiting = 100_000

// oldTransaction is from when on a transaction that stays open makes work slower.
const oldTransaction = time.Minute

func (s *Status) need(what, says, command string) {
	s.Needs = append(s.Needs, Need{what, says, command})
}

// Connect gives a client of Kafka, which its caller does not close.
type Connect func(context.Context) (*kgo.Client, error)

// Read asks Postgres and Kafka. It is an error where Postgres does not answer.
func Read(ctx context.Context, p *cli.Program, db *store.Store, connect Connect, kafka config.Kafka) (*Status, error) {
	s := &Status{Workers: []store.WorkerView{}, Topics: []Topic{}, Needs: []Need{}}
	if err := s.readDatabase(ctx, p, db); err != nil {
		return nil, err
	}
	s.askKafka(ctx, p, db, connect, kafka)
	return s, ctx.Err()
}

// readDatabase reads what Postgres knows.
func (s *Status) readDatabase(ctx context.Context, p *cli.Program, db *store.Store) (err error) {
	version, err := db.Version(ctx)
	if err != nil {
		return err
	}
	lines := p.Service.Lines()
	s.Schema = Schema{lines.Say(version), lines.Say(lines.Latest()), true}
	if s.Workers, err = db.Workers(ctx); err != nil {
		return err
	}
	if len(s.Workers) == 0 {
		s.need("workers", "no worker runs", p.Name+" worker")
	}
	for _, w := range s.Workers {
		if w.Silent && w.Partitions > 0 {
			s.need("workers", fmt.Sprintf("worker %s has told nothing since %s, and has %s: it hangs or is gone, and they move to another when its session has ended",
				w.Owner, cli.When(w.Seen), cli.CountOf(w.Partitions, "partition")), p.Name+" offsets list")
		}
	}
	if err := s.readBacklogs(ctx, p, db); err != nil {
		return err
	}
	return s.readTransaction(ctx, p, db, oldTransaction)
}

// readTransaction reads which transaction is the oldest. One that is older needs a person.
func (s *Status) readTransaction(ctx context.Context, p *cli.Program, db *store.Store, old time.Duration) error {
	oldest, err := db.OldestTransaction(ctx)
	if err != nil || oldest.Holder == "" {
		return err
	}
	s.Transaction = &Transaction{oldest.Holder, oldest.Age.Seconds()}
	if oldest.Age >= old {
		s.need("transaction", fmt.Sprintf("a transaction has been open for %s, and makes work slower: %s", oldest.Age.Round(time.Second), oldest.Holder),
			`psql "$`+p.Vocabulary.Prefix+`DATABASE_URL" -c "select pid, usename, state, xact_start, query from pg_stat_activity order by xact_start limit 5"`)
	}
	return nil
}

func (s *Status) readBacklogs(ctx context.Context, p *cli.Program, db *store.Store) (err error) {
	if s.Held, err = db.HeldKeys(ctx); err != nil {
		return err
	}
	if s.Newer, err = db.NewerKeys(ctx); err != nil {
		return err
	}
	if s.Letters, err = db.OpenLetters(ctx); err != nil {
		return err
	}
	if s.Decided, err = db.DecidedLetters(ctx); err != nil {
		return err
	}
	if w := p.Service.Waiting; w != nil {
		s.Waiting = &Waiting{Name: w.Name, One: w.One}
		if s.Waiting.Backlog, err = db.Waiting(ctx, mostWaiting); err != nil {
			return err
		}
	}
	if s.Held.Count > 0 {
		s.need("held", counted(s.Held, "held "+p.Vocabulary.Entity), p.Name+" dlq list --reason internal,newer_version")
	}
	if s.Letters.Count > 0 {
		s.need("dead_letters", counted(s.Letters, "open dead letter"), p.Name+" dlq list")
	}
	return nil
}

// askKafka compares positions with their logs. Kafka may be away.
func (s *Status) askKafka(ctx context.Context, p *cli.Program, db *store.Store, connect Connect, kafka config.Kafka) {
	list, err := positions(ctx, p, db, connect, kafka)
	if err != nil {
		s.need("kafka", "lag and quarantine are not known: "+err.Error(), p.Name+" offsets list")
		return
	}
	states := map[string]int64{}
	for i := range list {
		if list[i].State != "retired" {
			s.addPosition(&list[i])
			states[list[i].State]++
		}
	}
	for _, state := range []struct{ name, says, command string }{
		{"quarantined", "in quarantine: nothing of it is applied until somebody decides", "offsets accept"},
		{"not_fetched", "from which nothing comes, or of which nothing is applied", "offsets list"},
		{"foreign", "that the group gave to somebody who is no worker", "offsets list"},
		{"unread", "with commands that no worker reads", "offsets list"},
		{"unknown", "whose log Kafka does not answer for", "offsets list"},
	} {
		if n := states[state.name]; n > 0 {
			s.need("partitions", fmt.Sprintf("%s %s", cli.CountOf(n, "partition"), state.says), p.Name+" "+state.command)
		}
	}
}

func positions(ctx context.Context, p *cli.Program, db *store.Store, connect Connect, kafka config.Kafka) ([]offsets.Position, error) {
	ctx, cancel := cli.ForAnswer(ctx)
	defer cancel()
	client, err := connect(ctx)
	if err != nil {
		return nil, cli.CauseOf(ctx, err)
	}
	list, err := offsets.ListOwned(ctx, p, db, client, kafka)
	if err != nil {
		return nil, cli.CauseOf(ctx, err)
	}
	return list, nil
}

func (s *Status) addPosition(l *offsets.Position) {
	i := slices.IndexFunc(s.Topics, func(t Topic) bool { return t.Topic == l.Topic })
	if i < 0 {
		i = len(s.Topics)
		s.Topics = append(s.Topics, Topic{Topic: l.Topic, States: map[string]int64{}})
	}
	t := &s.Topics[i]
	t.Partitions++
	t.States[l.State]++
	if l.Lag != nil {
		t.Lag += *l.Lag
		t.LargestLag = max(t.LargestLag, *l.Lag)
	}
}

// counted says how many of something there are, and since when the oldest.
func counted(b store.Backlog, one string) string {
	if b.More {
		return "more than " + cli.CountOf(b.Count, one) + since(b)
	}
	return cli.CountOf(b.Count, one) + since(b)
}

func since(b store.Backlog) string {
	if b.Oldest == nil {
		return ""
	}
	return ", the oldest since " + cli.When(*b.Oldest)
}
