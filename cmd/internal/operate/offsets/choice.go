package offsets

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// choice says which positions a decision is about.
type choice struct {
	Topic     string  `placeholder:"TOPIC" help:"Only of this topic. Without it, all that are in quarantine."`
	Partition []int32 `placeholder:"N" help:"Only these partitions of the topic."`
}

func (c *choice) check() error {
	if len(c.Partition) > 0 && c.Topic == "" {
		return cli.Misuse("--partition needs --topic")
	}
	return nil
}

// of returns the current positions that were chosen: all in quarantine, and others if they are
// named. It is an error if there is none. Positions whose log nobody answers for are left alone, so
// that the others need not wait.
func (c *choice) of(v *view, healthy bool) (chosen []store.PositionView, left leftAlone, err error) {
	for _, p := range v.positions {
		named := c.Topic != "" && p.Topic == c.Topic && (len(c.Partition) == 0 || slices.Contains(c.Partition, p.Partition))
		if p.Retired || c.Topic != "" && !named {
			continue
		}
		_, answered := v.logs[partitionOf(p)]
		switch {
		case !answered && !v.gone(p):
			left = append(left, v.noAnswer(p))
		case v.unusable(p) != "" || healthy && named:
			chosen = append(chosen, p)
		}
	}
	if err := c.missing(v); err != nil {
		return nil, nil, err
	}
	if len(chosen) == 0 && len(left) > 0 {
		return nil, nil, fmt.Errorf("nothing was decided: no position that can be compared with its log is in quarantine, of those asked for: %w", left)
	}
	if len(chosen) == 0 {
		return nil, nil, errors.New("nothing was decided: no position is in quarantine, of those asked for; see offsets list")
	}
	return chosen, left, nil
}

// leftAlone says of each partition about which nothing can be decided why.
type leftAlone []error

func (l leftAlone) Error() string {
	texts := make([]string, len(l))
	for i, err := range l {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// err says what to do about those that were left, when the others are decided; nil where there are
// none.
func (l leftAlone) err() error {
	if len(l) == 0 {
		return nil
	}
	return fmt.Errorf("nobody answers for the log of some partitions, and they were left alone: decide about them, by --topic and --partition, when their brokers are back: %w", l)
}

// missing says what was named and has no position.
func (c *choice) missing(v *view) error {
	var topics []string
	for _, p := range v.positions {
		if !p.Retired && !slices.Contains(topics, p.Topic) {
			topics = append(topics, p.Topic)
		}
	}
	if c.Topic != "" && !slices.Contains(topics, c.Topic) {
		return fmt.Errorf("there is no position of topic %s; there are of %s", c.Topic, cmp.Or(strings.Join(topics, ", "), "none"))
	}
	for _, n := range c.Partition {
		if !slices.ContainsFunc(v.positions, func(p store.PositionView) bool { return !p.Retired && p.Topic == c.Topic && p.Partition == n }) {
			return fmt.Errorf("there is no position of topic %s, partition %d", c.Topic, n)
		}
	}
	return nil
}
