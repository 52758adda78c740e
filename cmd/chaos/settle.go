package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// settle lets everything recover: workers that poison cannot harm, every held key free, everything
// applied, published and reported.
func (c *campaign) settle(ctx context.Context) error {
	c.say("%d commands sent, %d aborted, %d not acknowledged; all faults are over", c.load.sent.Load(), c.load.aborted.Load(), c.load.refused.Load())
	for _, w := range c.herd.all() {
		w.Signal(syscall.SIGCONT)
	}
	const settled = "everything is applied, published and reported"
	if err := c.await(ctx, settled, c.done); err != nil {
		return err
	}
	c.herd.stopAll() // of workers that stop at once while partitions still move, the last has too much to publish in time
	c.herd.poison = false
	for range leastWorkers {
		if err := c.herd.start(); err != nil {
			return err
		}
	}
	if err := c.await(ctx, settled, c.done); err != nil {
		return err
	}
	if err := c.release(ctx); err != nil {
		return err
	}
	c.herd.stopAll()
	if done, err := c.done(ctx); err != nil || !done {
		return errors.Join(errors.New("after the last worker stopped, not everything is reported"), err)
	}
	return nil
}

// patience is how long nothing may move before the campaign gives up.
const patience = 3 * time.Minute

// await waits until something is so, as long as anything moves.
func (c *campaign) await(ctx context.Context, what string, so func(context.Context) (bool, error)) error {
	moved, last := time.Now(), ""
	looked := moved
	for rest(ctx, 500*time.Millisecond) {
		done, err := so(ctx)
		if done && err == nil {
			return nil
		}
		positions, _ := c.monitor.positions(ctx)
		if now := fmt.Sprint(positions); now != last {
			moved, last = time.Now(), now
		}
		if time.Since(moved) > hanging && time.Since(looked) > hanging {
			looked = time.Now()
			c.endHanging(ctx)
		}
		if time.Since(moved) > patience {
			return fmt.Errorf("nothing moves for %s, and it is not so that %s (error: %v): %s%s", patience, what, err, last, c.herd.tails()) //nolint:errorlint // a text
		}
	}
	return ctx.Err()
}

// endHanging ends what holds up commands and is nobody's any more.
func (c *campaign) endHanging(ctx context.Context) {
	aborted, err := abortHanging(ctx, c.admin, hanging, commandTopic, quantityTopic)
	for _, p := range aborted {
		c.say("the transaction of producer %d hangs in %s.%d from offset %d on: aborted, as the runbook says", p.ProducerID, p.Topic, p.Partition, p.CurrentTxnStartOffset)
	}
	if err != nil {
		c.say("abort what hangs: %v", err)
	}
}

// done reports whether everything is applied, published, saved, and reported to the group.
func (c *campaign) done(ctx context.Context) (bool, error) {
	positions, err := c.monitor.positions(ctx)
	if err != nil {
		return false, err
	}
	ends, err := c.admin.ListEndOffsets(ctx, commandTopic, quantityTopic)
	if errors.Join(err, ends.Error()) != nil {
		return false, errors.Join(err, ends.Error())
	}
	committed, err := c.admin.FetchOffsets(ctx, group)
	if err != nil {
		return false, err
	}
	for topic, partitions := range ends {
		for partition, end := range partitions {
			p := positions[topicPartition{topic, partition}]
			o, ok := committed.Lookup(topic, partition)
			if p.nextOffset != end.Offset || p.publishedRow != p.nextRow || !ok || o.At != end.Offset {
				return false, nil
			}
		}
	}
	return true, nil
}

// release has held products go on, as an operator does after a fix.
func (c *campaign) release(ctx context.Context) error {
	if c.mix[partPoison] == 0 {
		return nil
	}
	return c.await(ctx, "no product is held", func(ctx context.Context) (bool, error) {
		out, err := c.operator(ctx, "dlq", "retry", "--reason", "internal", "--limit", "1000")
		if err != nil && !strings.Contains(out, "nothing was decided") {
			return false, fmt.Errorf("dlq retry: %w\n%s", err, out)
		}
		held := 0
		err = c.connected(ctx, database, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, "select count(*) from held_keys").Scan(&held) })
		if err != nil || held > 0 {
			return false, err
		}
		return c.done(ctx)
	})
}

// operator runs a command of the program as an operator does.
func (c *campaign) operator(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = c.environment("operator", c.brokerWays)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
