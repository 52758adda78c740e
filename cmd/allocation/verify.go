package main

import (
	"context"
	"fmt"
	"strings"

	"allocation/cmd/allocation/config"
	"allocation/store/verify"
)

type verifyCommand struct {
	config.Database
	config.Kafka
	config.Events
	SKU       string `name:"sku" placeholder:"SKU" help:"Check only this product."`
	FromTopic bool   `help:"Read the events from Kafka's events topic instead of from the database, which keeps them for OUTBOX_RETENTION."`
	JSON      bool   `help:"Print each difference, and at the end a summary, as a line of JSON."`
}

func (verifyCommand) Help() string {
	return `Checks that rows agree with each other: batches with their lines, products with their waiting lines, positions with the outbox, dead letters with
their rows. Then adds up the events of each product whose history is all kept, and compares with its batches and lines. Differences make the exit
code 1.

Workers may go on: what is compared always comes from one snapshot, and each lasts milliseconds; only where one product has very many open lines,
about a second for a million of them. A worker's or an operator's database user may do it.

It takes about 64 MiB for what the events add up to, which is some 150,000 products, batches and lines; with more of them it reads the events and
the tables again, once for each 75,000 to 150,000. The names of one pass' products must fit. From Kafka, products are left out whose events are in several partitions, because the topic got more of them.

Examples:

    allocation verify
    allocation verify --sku CHAIR --from-topic --json`
}

// Run verifies and prints what is wrong.
func (c *verifyCommand) Run(ctx context.Context, p *program) error {
	if err := c.check(p); err != nil {
		return err
	}
	db, err := p.openStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	line := newStatusLine(p.err)
	options := verify.Options{SKU: c.SKU, Progress: line.show, Report: func(d verify.Difference) error {
		line.end()
		return p.printDifference(d, c.JSON)
	}}
	if c.FromTopic {
		client, err := p.connectKafka(ctx, c.Kafka, historyOptions()...)
		if err != nil {
			return err
		}
		defer client.Close()
		if err := missingTopics(ctx, client, c.EventsTopic); err != nil {
			return err
		}
		options.Topic = (&historyTopic{client: client, topic: c.EventsTopic}).read
	}
	summary, err := verify.Run(ctx, db, options)
	line.end()
	if err != nil {
		return err
	}
	return c.conclude(p, summary)
}

func (c *verifyCommand) check(p *program) error {
	problems := p.problems()
	if c.FromTopic {
		c.Kafka.Check(problems)
		c.Events.Check(problems)
	}
	return problems.Err()
}

// conclude prints what was checked. Differences are an error.
func (c *verifyCommand) conclude(p *program, s verify.Summary) error {
	if c.JSON {
		if err := p.printJSON(s); err != nil {
			return err
		}
	} else {
		p.printSummary(s)
	}
	if s.Differences > 0 {
		return fmt.Errorf("%s differences", count(s.Differences))
	}
	return nil
}

func (p *program) printDifference(d verify.Difference, asJSON bool) error {
	if asJSON {
		return p.printJSON(d)
	}
	about := d.Table + ": " + d.Key
	if d.SKU != "" {
		about = "product " + d.SKU + ", " + about
	}
	expected := "must be"
	if d.Check == verify.CheckEvents {
		expected = "events say"
	}
	_, err := fmt.Fprintf(p.out, "%s: %s\n  %-10s  %s\n  %-10s  %s\n", d.Check, printable(about), expected, printable(d.Expected), "is", printable(d.Found))
	return err
}

func (p *program) printSummary(s verify.Summary) {
	var text strings.Builder
	fmt.Fprintf(&text, "checked %s products, %s batches, %s lines, %s outbox rows, %s dead letters\n",
		count(s.Products), count(s.Batches), count(s.Lines), count(s.OutboxRows), count(s.DeadLetters))
	fmt.Fprintf(&text, "compared %s products with their events\n", count(s.Folded))
	if s.HistoryCut > 0 {
		fmt.Fprintf(&text, "not compared: %s products, whose events are not all kept\n", count(s.HistoryCut))
	}
	if s.LinesCut > 0 {
		fmt.Fprintf(&text, "not checked: the last events of %s lines, which are no longer kept\n", count(s.LinesCut))
	}
	if s.Differences == 0 {
		text.WriteString("no differences\n")
	}
	fmt.Fprint(p.out, text.String())
}
