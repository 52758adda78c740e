package dlq

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
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
	DeadLetterTopic string `name:"dead-letter-topic" env:"DEAD_LETTER_TOPIC" default:"warehouse.commands.dlq" help:"Where refused commands, and decisions about them, go."`
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
	ID       string         `json:"id"` // of the dead letter
	Decision string         `json:"decision"`
	Time     time.Time      `json:"time"` // of the record that tells of it
	Key      string         `json:"key,omitempty"`
	Database string         `json:"database"` // what the database has instead
	command  store.RecordID // of the command
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
	client, err := p.ConnectKafka(ctx, c.Kafka, cli.ReadTopicOptions()...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := cli.SameCluster(ctx, db, client, c.Kafka); err != nil {
		return err
	}
	if err := cli.MissingTopics(ctx, client, c.DeadLetterTopic); err != nil {
		return err
	}
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
	err := cli.ReadTopic(ctx, client, topic, func(r *kgo.Record) error {
		d, ok := decisionOf(r)
		if before, known := last[d.command]; ok && (!known || !d.Time.Before(before.Time)) {
			last[d.command] = d
		}
		return nil
	})
	var all []lostDecision
	for _, d := range last {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b lostDecision) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.command.Topic, b.command.Topic),
			cmp.Compare(a.command.Partition, b.command.Partition), cmp.Compare(a.command.Offset, b.command.Offset))
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
	partition, err1 := strconv.ParseInt(headers["dlq-original-partition"], 10, 32)
	offset, err2 := strconv.ParseInt(headers["dlq-original-offset"], 10, 64)
	d = lostDecision{Decision: headers["dlq-decision"], Time: r.Timestamp.UTC(), Key: string(r.Key)}
	d.command = store.RecordID{Topic: headers["dlq-original-topic"], Partition: int32(partition), Offset: offset}
	d.ID = fmt.Sprintf("%s.%d.%d", d.command.Topic, partition, offset)
	decided := r.Value == nil && (d.Decision == "retried" || d.Decision == "discarded")
	return d, decided && d.command.Topic != "" && err1 == nil && err2 == nil
}

// lostOf are the decisions that the database does not know.
func lostOf(ctx context.Context, db *store.Store, decisions []lostDecision) (lost []lostDecision, err error) {
	const atOnce = 500
	for some := range slices.Chunk(decisions, atOnce) {
		ids := make([]store.RecordID, len(some))
		for i := range some {
			ids[i] = some[i].command
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
	t := cli.NewTable(p.Out, "TIME", "DEAD LETTER", title(p), "DECISION", "IN THE DATABASE")
	for _, d := range lost {
		t.Row(cli.When(d.Time), d.ID, d.Key, d.Decision, d.Database)
	}
	return t.Flush()
}
