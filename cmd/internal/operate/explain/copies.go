package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

// InKafka are the flags about where events are in Kafka.
type InKafka struct {
	Look bool `name:"kafka" help:"Also look for each event in the topics of events: print its ce_id, and where each copy of it is."`
	config.EventTopics
	Most int64 `kong:"-"` // bounds the records that are looked at in each topic; 0: mostLooked
}

// Check finds the mistakes.
func (k *InKafka) Check(problems *config.Problems) {
	if k.Look {
		k.EventTopics.Check(problems)
	}
}

const (
	// clocksDiffer is by how much the clocks of Postgres and of a worker may differ.
	clocksDiffer = time.Minute

	// mostLooked is the usual bound of the records that are looked at in each topic.
	mostLooked = 1_000_000
)

// errEnough ends the reading of a topic.
var errEnough = errors.New("enough records were looked at")

// Looked says where events were looked for, and how far.
type Looked struct {
	Topics []LookedAt
	Since  time.Time
}

// LookedAt is how far a topic was read.
type LookedAt struct {
	Topic   string
	Records int64
	ToEnd   bool
}

// Find looks for events in the topics of events, from the time on when the first of them was
// committed, and notes where each is. It is nil where nobody wants that.
func (k *InKafka) Find(ctx context.Context, p *cli.Program, db *store.Store, kafka config.Kafka, events []*store.EventView) (*Looked, error) {
	if !k.Look || len(events) == 0 {
		return nil, nil
	}
	looked := &Looked{Since: since(events)}
	byID := map[string][]*store.EventView{}
	for _, e := range events {
		e.Kafka = &store.Copies{Found: []store.Copy{}, Since: looked.Since, ToEnd: true}
		byID[e.ID] = append(byID[e.ID], e)
	}
	for _, topic := range k.Outputs() {
		at, err := k.find(ctx, p, db, kafka, topic, looked.Since, byID)
		if err != nil {
			return nil, err
		}
		looked.Topics = append(looked.Topics, at)
		for _, e := range events {
			e.Kafka.ToEnd = e.Kafka.ToEnd && at.ToEnd
		}
	}
	return looked, nil
}

// since is from when on events are looked for. Where it is no longer kept when one was committed,
// its command is older; where that is not known, all of a topic is.
func since(events []*store.EventView) time.Time {
	first := time.Now()
	for _, e := range events {
		at := cmp.Or(e.Committed, e.Cause.Time, &time.Time{})
		if at.Before(first) {
			first = *at
		}
	}
	if first.IsZero() {
		return first
	}
	return first.Add(-clocksDiffer).UTC()
}

func (k *InKafka) find(ctx context.Context, p *cli.Program, db *store.Store, kafka config.Kafka, topic string, since time.Time,
	byID map[string][]*store.EventView,
) (LookedAt, error) {
	at := LookedAt{Topic: topic, ToEnd: true}
	client, err := p.OpenTopic(ctx, db, kafka, topic)
	if err != nil {
		return at, err
	}
	defer client.Close()
	err = cli.ReadTopic(ctx, client, topic, since, func(r *kgo.Record) error {
		if at.Records == cmp.Or(k.Most, mostLooked) {
			at.ToEnd = false
			return errEnough
		}
		at.Records++
		for _, e := range byID[idOf(r)] {
			e.Kafka.Found = append(e.Kafka.Found, store.Copy{Topic: topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UTC()})
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return at, err
}

func idOf(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "ce_id" {
			return string(h.Value)
		}
	}
	return ""
}

// Print says how far was looked.
func (l *Looked) Print(p *cli.Program) error {
	if l == nil {
		return nil
	}
	fmt.Fprintln(p.Out)
	for _, at := range l.Topics {
		from, to := "from its start on", "to its end"
		if !l.Since.IsZero() {
			from = "from " + cli.When(l.Since) + " on"
		}
		if !at.ToEnd {
			to = "and no further"
		}
		if _, err := fmt.Fprintf(p.Out, "looked for the events in %s %s, at %s, %s\n",
			cli.Printable(at.Topic), from, cli.CountOf(at.Records, "record"), to); err != nil {
			return err
		}
	}
	return nil
}

// copies says where an event is in Kafka; empty where nobody looked.
func copies(e *store.EventView) string {
	if e.Kafka == nil {
		return ""
	}
	var each []string
	for _, c := range e.Kafka.Found {
		each = append(each, fmt.Sprintf("%s.%d@%d (%s)", c.Topic, c.Partition, c.Offset, cli.When(c.Time)))
	}
	where := "not found in Kafka"
	if len(each) > 0 {
		where = "in Kafka at " + strings.Join(each, " and again at ")
	}
	return fmt.Sprintf("id %s: %s", e.ID, where)
}
