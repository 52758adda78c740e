package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/offsets"
)

// maxPartitions is how many partitions are shown, and maxDecisions for how many of them commands
// are.
const (
	maxPartitions = 1000
	maxDecisions  = 10
)

// Partition is a position, and how fast it moves.
type Partition struct {
	offsets.Position
	Rate float64 `json:"commands_per_second"` // in the last minute

	Next string `json:"-"` // the position of the next command
}

// PartitionsPage is the partitions that were asked for, those that need somebody first. In JSON it
// is public contract.
type PartitionsPage struct {
	Partitions []Partition `json:"partitions"`
	More       int         `json:"more,omitempty"`  // than are shown
	Kafka      string      `json:"kafka,omitempty"` // why Kafka tells nothing; empty: it does
	Lag        int64       `json:"lag"`             // of all that were asked for, where it is known
	Rate       float64     `json:"commands_per_second"`

	Topic, Owner, State    string   `json:"-"` // for the form
	Lagging                bool     `json:"-"`
	Topics, Owners, States []string `json:"-"`
}

// partitionStates are those of offsets.Position.
var partitionStates = []string{"", "quarantined", "not_fetched", "foreign", "unread", "unknown", "ok", "retired"}

// partitions is the page about partitions: how far each is, and what keeps it.
func (c *Console) partitions(ctx context.Context, r *Request) (*Answer, error) {
	page := &PartitionsPage{
		Topic: r.Text("topic"), Owner: r.Text("owner"), State: r.OneOf("state", partitionStates...), Lagging: r.Ticked("lag"),
		States: partitionStates[1:], Partitions: []Partition{},
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	list, err := c.positions(ctx, page)
	if err != nil {
		return nil, err
	}
	rates, err := c.Store.Rates(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		p := Partition{Position: list[i]}
		if p.State != "retired" {
			p.Rate = rates[p.Topic][p.Position.Partition]
		}
		page.add(p)
	}
	slices.SortStableFunc(page.Partitions, func(a, b Partition) int { return cmp.Compare(urgency(a.State), urgency(b.State)) })
	if page.More = len(page.Partitions) - maxPartitions; page.More > 0 {
		page.Partitions = page.Partitions[:maxPartitions]
	}
	page.More = max(0, page.More)
	return &Answer{Title: "Partitions", Data: page, Refresh: 5 * time.Second, Shell: c.accept(page)}, nil
}

// positions are those of all partitions, as Kafka and the database tell.
func (c *Console) positions(ctx context.Context, page *PartitionsPage) ([]offsets.Position, error) {
	asking, cancel := cli.ForAnswer(ctx)
	defer cancel()
	client, err := c.client(asking)
	if err == nil {
		var list []offsets.Position
		if list, err = offsets.ListOwned(asking, c.Program, c.Store, client, c.Kafka); err == nil {
			return list, nil
		}
	}
	err = cli.CauseOf(asking, err)
	page.Kafka = err.Error()
	return offsets.ListKnown(ctx, c.Store, err)
}

// add adds a partition that was asked for.
func (p *PartitionsPage) add(x Partition) {
	p.Topics, p.Owners = with(p.Topics, x.Topic), with(p.Owners, x.Owner)
	over := x.State == "retired" && x.Unpublished == 0 && p.State != "retired" // it is history
	if over || p.Topic != "" && p.Topic != x.Topic || p.Owner != "" && p.Owner != x.Owner || p.State != "" && p.State != x.State ||
		p.Lagging && (x.Lag == nil || *x.Lag == 0) {
		return
	}
	if x.Lag != nil {
		p.Lag += *x.Lag
	}
	p.Rate += x.Rate
	x.Next = fmt.Sprintf("%s.%d.%d", x.Topic, x.Partition, x.Position.Position)
	p.Partitions = append(p.Partitions, x)
}

func with(list []string, text string) []string {
	if text == "" || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// urgency sorts what needs somebody before the rest.
func urgency(state string) int { return slices.Index(partitionStates, state) }

// accept are the commands that a person may type.
func (c *Console) accept(page *PartitionsPage) []Shell {
	all := []Shell{{"prints all partitions", c.Command("offsets", "list")}, {"prints what operators decided", c.Command("offsets", "list", "--history")}}
	for i := range page.Partitions {
		if p := &page.Partitions[i]; p.State == "quarantined" && i < maxDecisions {
			all = append(all, Shell{
				"prints what it means to go on with the log as it is, and with --execute ends the quarantine so",
				c.Command("offsets", "accept", "--topic="+p.Topic, fmt.Sprintf("--partition=%d", p.Partition)),
			})
		}
	}
	return all
}
