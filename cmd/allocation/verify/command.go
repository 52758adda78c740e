// Package verify has the database checked against itself and against the events. It prints what
// differs, and says what could not be checked.
package verify

import (
	"context"
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	products "allocation/store/products/verify"
	"allocation/store/verify"
)

// Command is "verify" on the command line.
type Command struct {
	config.Database
	config.Kafka
	config.Events
	SKU       string `name:"sku" placeholder:"SKU" help:"Check only this product."`
	FromTopic bool   `help:"Read the events from Kafka's events topic instead of from the database, which keeps them for OUTBOX_RETENTION."`
	JSON      bool   `help:"Print each difference, and at the end a summary, as a line of JSON."`
}

// Help is what --help adds.
func (Command) Help() string {
	return `Checks that rows agree with each other: batches with their lines, products with their waiting lines, positions with the outbox, dead letters with
their rows. Then adds up the events of each product whose history is all kept, and compares with its batches and lines. Differences make the exit
code 1. So does a --sku that the database does not know, and an events topic without events: nothing would be checked. What could not be checked is
listed: partitions in quarantine, commands that an operator decided to skip, and what is no longer kept.

Workers may go on: what is compared always comes from one snapshot, and each lasts milliseconds; only where one product has very many open lines,
about a second for a million of them. A worker's or an operator's database user may do it.

It takes about 64 MiB for what the events add up to, which is some 150,000 products, batches and lines; with more of them it reads the events and
the tables again, once for each 75,000 to 150,000. The names of one pass' products must fit. From Kafka, products are left out whose events are in several partitions, because the topic got more of them.

Examples:

    allocation verify
    allocation verify --sku CHAIR --from-topic --json`
}

// Run verifies and prints what is wrong.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	if err := c.check(p); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	line := cli.NewStatusLine(p.Err)
	options := verify.Options{Key: c.SKU, Progress: line.Show, Report: func(d verify.Difference) error {
		line.End()
		return printDifference(p, d, c.JSON)
	}}
	var events *eventsTopic
	if c.FromTopic {
		client, err := p.OpenTopic(ctx, db, c.Kafka, c.EventsTopic)
		if err != nil {
			return err
		}
		defer client.Close()
		events = &eventsTopic{client: client, topic: c.EventsTopic}
		options.Topic = events.read
	}
	summary, err := products.Run(ctx, db, options)
	line.End()
	if err != nil {
		return err
	}
	s := Summary{Summary: summary}
	if s.NotChecked, err = notChecked(ctx, p, db, c.Kafka); err != nil {
		return err
	}
	conclusion := c.conclude(&s, events)
	if err := printSummary(p, &s, c.JSON, conclusion == nil); err != nil {
		return err
	}
	return conclusion
}

func (c *Command) check(p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Events.Check(problems)
	return problems.Err()
}

// conclude is the error of differences, and of a question about nothing.
func (c *Command) conclude(s *Summary, events *eventsTopic) error {
	switch {
	case s.Differences > 0:
		return fmt.Errorf("%s differences", cli.Count(s.Differences))
	case c.SKU != "" && s.Products == 0 && s.Batches == 0 && s.Lines == 0:
		return fmt.Errorf("there is no product %q: nothing was checked", c.SKU)
	case events != nil && events.events == 0 && s.Products > 0:
		return fmt.Errorf("the topic %s has no event of a product: nothing was compared", c.EventsTopic)
	}
	return nil
}

// Difference is something that must not be. In JSON it is public contract.
type Difference struct {
	Check    string `json:"check"`
	SKU      string `json:"sku,omitempty"`
	Table    string `json:"table"`
	Key      string `json:"key"` // which row
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

func printDifference(p *cli.Program, d verify.Difference, asJSON bool) error {
	if asJSON {
		return p.PrintJSON(Difference{d.Check, d.Key, d.Table, d.Row, d.Expected, d.Found})
	}
	about := d.Table + ": " + d.Row
	if d.Key != "" {
		about = "product " + d.Key + ", " + about
	}
	expected := "must be"
	if d.Check == verify.CheckEvents {
		expected = "events say"
	}
	_, err := fmt.Fprintf(p.Out, "%s: %s\n  %-10s  %s\n  %-10s  %s\n", d.Check, cli.Printable(about), expected, cli.Printable(d.Expected), "is", cli.Printable(d.Found))
	return err
}

func printSummary(p *cli.Program, s *Summary, asJSON, right bool) error {
	if asJSON {
		return p.PrintJSON(s)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "checked %s products, %s batches, %s lines, %s outbox rows, %s dead letters\n",
		cli.Count(s.Products), cli.Count(s.Batches), cli.Count(s.Lines), cli.Count(s.OutboxRows), cli.Count(s.DeadLetters))
	fmt.Fprintf(&text, "compared %s products with their events\n", cli.Count(s.Folded))
	if s.HistoryCut > 0 {
		fmt.Fprintf(&text, "not compared: %s products, whose events are not all kept\n", cli.Count(s.HistoryCut))
	}
	if s.LinesCut > 0 {
		fmt.Fprintf(&text, "not checked: the last events of %s lines, which are no longer kept\n", cli.Count(s.LinesCut))
	}
	if s.LettersCut > 0 {
		fmt.Fprintf(&text, "not checked: the outbox rows of %s dead letters, which are no longer kept\n", cli.Count(s.LettersCut))
	}
	for _, n := range s.NotChecked {
		fmt.Fprintf(&text, "not checked: %s\n", cli.Printable(n.Says))
	}
	if right {
		text.WriteString("no differences\n")
	}
	_, err := fmt.Fprint(p.Out, text.String())
	return err
}
