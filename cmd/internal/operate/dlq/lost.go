package dlq

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

// lostCommand lists what operators decided about dead letters and the database does not know,
// because it was restored to an earlier point or a failover lost commits.
type lostCommand struct {
	config.Database
	config.Kafka
	DeadLetterTopic string `name:"dead-letter-topic" env:"DEAD_LETTER_TOPIC" default:"${topic}.dlq" help:"Where refused commands, and decisions about them, go."`
	JSON            bool   `help:"Print each decision as a line of JSON."`
}

func (lostCommand) Help() string {
	return `Reads the decisions in the dead-letter topic, and lists those that the database does not know: after it was restored to an earlier point, or a
failover lost commits, they have to be made again, in the order in which they are listed. It changes nothing. Run it when the workers have caught up.

Example:

    ${program} dlq lost`
}

// lostDecision is a decision that the database does not know. In JSON it is public contract.
type lostDecision struct {
	ID       store.RecordID `json:"id"` // of the dead letter
	Decision string         `json:"decision"`
	Time     time.Time      `json:"time"` // of the record that tells of it
	Key      string         `json:"key,omitempty"`
	Database string         `json:"database"` // what the database has instead
}

// Run lists them.
func (c *lostCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	client, err := p.OpenTopic(ctx, db, c.Kafka, c.DeadLetterTopic)
	if err != nil {
		return err
	}
	defer client.Close()
	decisions, err := readDecisions(ctx, client, c.DeadLetterTopic)
	if err != nil {
		return err
	}
	lost, err := lostOf(ctx, db, decisions)
	if err != nil {
		return err
	}
	return printLost(p, lost, c.JSON)
}

// readDecisions are the last decisions about each dead letter, in the order in which they were
// made. They are held in memory: people made them.
func readDecisions(ctx context.Context, client *kgo.Client, topic string) ([]lostDecision, error) {
	last := map[store.RecordID]lostDecision{}
	err := cli.ReadTopic(ctx, client, topic, time.Time{}, func(r *kgo.Record) error {
		d, ok := decisionOf(r)
		if before, known := last[d.ID]; ok && (!known || !d.Time.Before(before.Time)) {
			last[d.ID] = d
		}
		return nil
	})
	var all []lostDecision
	for _, d := range last {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b lostDecision) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID.Topic, b.ID.Topic),
			cmp.Compare(a.ID.Partition, b.ID.Partition), cmp.Compare(a.ID.Offset, b.ID.Offset))
	})
	return all, err
}

// decisionOf reads a record that tells of a decision. Others in the topic are dead letters. Of a
// repeated header the last counts.
func decisionOf(r *kgo.Record) (d lostDecision, ok bool) {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	id, err := store.ParseRecordID(headers["dlq-original-topic"] + "." + headers["dlq-original-partition"] + "." + headers["dlq-original-offset"])
	d = lostDecision{ID: id, Decision: headers["dlq-decision"], Time: r.Timestamp.UTC(), Key: string(r.Key)}
	return d, err == nil && r.Value == nil && (d.Decision == "retried" || d.Decision == "discarded")
}

// lostOf are the decisions that the database does not know.
func lostOf(ctx context.Context, db *store.Store, decisions []lostDecision) (lost []lostDecision, err error) {
	const atOnce = 500
	for some := range slices.Chunk(decisions, atOnce) {
		ids := make([]store.RecordID, len(some))
		for i := range some {
			ids[i] = some[i].ID
		}
		states, err := db.LetterStates(ctx, ids)
		if err != nil {
			return nil, err
		}
		for i, d := range some {
			if d.Database = missing(d.Decision, states[i]); d.Database != "" {
				lost = append(lost, d)
			}
		}
	}
	return lost, nil
}

// missing says what the database has instead of a decision; empty where it has that. A dead letter
// that was retried, and refused again, is open.
func missing(decision string, has store.LetterState) string {
	doing := map[string]string{"retried": "retrying", "discarded": "discarding"}[decision]
	switch {
	case !has.Known:
		return "no such dead letter"
	case has.State == decision, has.State == doing, decision == "retried" && has.Retries > 0:
		return ""
	}
	return has.State
}

func printLost(p *cli.Program, lost []lostDecision, asJSON bool) error {
	if asJSON {
		for _, d := range lost {
			if err := p.PrintJSON(d); err != nil {
				return err
			}
		}
		return nil
	}
	if len(lost) == 0 {
		_, err := fmt.Fprintln(p.Out, "the database knows all decisions")
		return err
	}
	return cli.PrintTable(p, []string{"TIME", "DEAD LETTER", title(p), "DECISION", "IN THE DATABASE"}, lost, 0, func(d *lostDecision) []string {
		return []string{cli.When(d.Time), d.ID.String(), d.Key, d.Decision, d.Database}
	})
}
