package offsets

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

type listCommand struct {
	servers
	History bool `help:"Print what operators decided instead, the last first."`
}

func (listCommand) Help() string {
	return `POSITION is the offset applied up to, PUBLISHED the offset whose events are all acknowledged, STABLE the last stable offset, LAG the
records between PUBLISHED and END. PUBLISHED is saved up to a second late where a partition is idle. Records between STABLE and END wait for a
producer's transaction that is open. EPOCH counts the claims of the partition. STATE says why a position cannot be used (quarantined), that
nothing comes to the owner or nothing is applied (not_fetched), or that Kafka does not answer for the log (unknown).
"foreign" is a partition that the consumer group gave to somebody who is no worker, "unread" one with records of a topic that no worker reads.

Example:

    ${program} offsets list --json`
}

// Position is one line of the list.
type Position struct {
	Topic       string `json:"topic"`
	Partition   int32  `json:"partition"`
	TopicID     string `json:"topic_id"`
	Position    int64  `json:"position"`
	Published   int64  `json:"published"`
	Unpublished int64  `json:"unpublished_rows"`
	Start       *int64 `json:"log_start,omitempty"`
	End         *int64 `json:"log_end,omitempty"`
	Stable      *int64 `json:"last_stable_offset,omitempty"`
	Lag         *int64 `json:"lag,omitempty"`
	Open        int64  `json:"waiting_for_transaction,omitempty"` // records
	Epoch       int64  `json:"epoch"`
	Owner       string `json:"owner,omitempty"`
	State       string `json:"state"` // ok, quarantined, not_fetched, foreign, unread, retired, or unknown
	Reason      string `json:"reason,omitempty"`
}

// Run prints the positions.
func (c *listCommand) Run(ctx context.Context, p *cli.Program) error {
	if c.History {
		return c.history(ctx, p)
	}
	v, err := c.look(ctx, p)
	if err != nil {
		return err
	}
	defer v.close()
	list, err := v.listOwned(ctx, p)
	if err != nil {
		return err
	}
	if !c.JSON { // what is history is left out
		list = slices.DeleteFunc(list, func(l Position) bool { return l.State == "retired" && l.Unpublished == 0 })
	}
	columns := []string{"TOPIC", "PARTITION", "POSITION", "PUBLISHED", "START", "END", "STABLE", "LAG", "EPOCH", "OWNER", "STATE"}
	return cli.PrintList(p, c.JSON, columns, list, func(l *Position) []string {
		return []string{
			l.Topic, fmt.Sprint(l.Partition), fmt.Sprint(l.Position), fmt.Sprint(l.Published), number(l.Start), number(l.End), number(l.Stable),
			number(l.Lag), fmt.Sprint(l.Epoch), l.Owner, l.StateText(),
		}
	})
}

// List are all positions, compared with their logs.
func List(ctx context.Context, db *store.Store, client *kgo.Client, kafka config.Kafka) ([]Position, error) {
	v, err := readView(ctx, db, client, kafka)
	if err != nil {
		return nil, err
	}
	return v.list(), nil
}

// ListKnown are all positions as the database knows them, where Kafka tells nothing.
func ListKnown(ctx context.Context, db *store.Store, why error) ([]Position, error) {
	positions, err := db.Positions(ctx)
	v := &view{db: db, positions: positions, away: why}
	return v.list(), err
}

// ListOwned is List, and says which positions no worker moves.
func ListOwned(ctx context.Context, p *cli.Program, db *store.Store, client *kgo.Client, kafka config.Kafka) ([]Position, error) {
	v, err := readView(ctx, db, client, kafka)
	if err != nil {
		return nil, err
	}
	return v.listOwned(ctx, p)
}

func (v *view) listOwned(ctx context.Context, p *cli.Program) ([]Position, error) {
	group, err := v.askGroup(ctx, p)
	if err != nil {
		return nil, err
	}
	list := v.list()
	for i := range list {
		list[i].alone(&group, v.positions[i])
	}
	return list, nil
}

func (v *view) list() []Position {
	list := make([]Position, len(v.positions))
	for i, p := range v.positions {
		list[i] = v.listed(p)
	}
	return list
}

func (v *view) listed(p store.PositionView) Position {
	l := Position{
		Topic: p.Topic, Partition: p.Partition, TopicID: kadm.TopicID(p.TopicID).String(), Position: p.NextOffset, Published: p.PublishedUpTo,
		Unpublished: p.NextRow - p.PublishedRow, Epoch: p.Epoch, Owner: p.Owner, State: "ok",
	}
	if p.Retired {
		l.State = "retired"
		return l
	}
	if log, ok := v.logs[partitionOf(p)]; ok {
		lag := max(0, log.End-p.PublishedUpTo)
		l.Start, l.End, l.Stable, l.Lag, l.Open = &log.Start, &log.End, &log.Stable, &lag, log.End-log.Stable
	} else {
		l.State = "unknown"
		l.Reason = fmt.Sprintf("where its log ends is not known: %v", cmp.Or(v.away, v.silent[partitionOf(p)], errNoLeader))
	}
	if p.Trouble != "" {
		l.State, l.Reason = "not_fetched", fmt.Sprintf("since %s: %s", cli.When(*p.TroubleSince), p.Trouble)
	}
	if why := v.unusable(p); why != "" {
		l.State, l.Reason, l.Lag = "quarantined", why, nil
	}
	return l
}

// alone says why no worker applies what waits in the partition.
func (l *Position) alone(g *group, p store.PositionView) {
	if l.State != "ok" {
		return
	}
	if foreign := g.foreign(p); foreign != "" {
		l.State, l.Reason = "foreign", foreign
	} else if l.Lag != nil && *l.Lag > 0 && g.unread(p) {
		l.State, l.Reason = "unread", "no worker reads this topic any more: is it missing in --command-topics?"
	}
}

// StateText is the state for people, with the reason.
func (l *Position) StateText() string {
	switch {
	case l.Reason != "":
		return l.State + ": " + l.Reason
	case l.State == "retired":
		return fmt.Sprintf("retired, with %d rows to publish", l.Unpublished)
	case l.Open > 0:
		return fmt.Sprintf("%s: %d records wait for a producer's transaction", l.State, l.Open)
	}
	return l.State
}

func number(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

// history prints what was decided.
func (c *listCommand) history(ctx context.Context, p *cli.Program) error {
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	decisions, err := db.Decisions(ctx)
	if err != nil {
		return err
	}
	columns := []string{"AT", "BY", "DECISION", "TOPIC", "PARTITION", "FROM", "TO", "WHY"}
	return cli.PrintList(p, c.JSON, columns, decisions, func(d *store.DecisionView) []string {
		return []string{cli.When(d.At), d.By, d.Action, d.Topic, fmt.Sprint(d.Partition), fmt.Sprint(d.From), number(d.To), d.Why}
	})
}
