package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"allocation/deploy/checker"
)

// check has everything that is left checked, and prints what came of it. It has found something
// when its error is not nil.
func (c *campaign) check(ctx context.Context) error {
	began := time.Now()
	history, err := checker.Read(ctx, checker.Run{
		Brokers: c.cluster.Brokers(), Database: c.pair.URL("postgres", database),
		Commands: map[string]string{commandTopic: "", quantityTopic: "ChangeBatchQuantity"},
		Events:   eventTopic, Letters: letterTopic, Group: group, Source: "/allocation",
		TimelineChanges: c.journal.failovers, Acknowledged: c.load.acked.records(),
	})
	if err != nil {
		return err
	}
	c.say("read %d commands, %d events and %d dead letters in %s", len(history.Commands), len(history.Events), len(history.Letters), time.Since(began).Round(time.Second))
	violations := checker.Check(history)
	if len(violations) > 0 {
		err = errors.Join(errors.New(checker.Report(violations)), c.writeAudit(ctx), c.sayLost(ctx, history.Lost))
	}
	c.say("checked after %s: %d violations", time.Since(began).Round(time.Second), len(violations))
	fmt.Fprint(os.Stdout, c.summary(history, len(violations)))
	return err
}
