package offsets

import (
	"context"
	"errors"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/store"
	"allocation/worker"
)

// decision is what accept and reset have in common.
type decision struct {
	servers
	choice
	Execute bool   `help:"Really do it. Without, it only says what would be done."`
	Why     string `placeholder:"TEXT" help:"Kept with the decision, beside what the program says."`
}

// Move is one position, and what becomes of it.
type Move struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	To        *int64 `json:"to,omitempty"`
	Effect    string `json:"effect"`
	Why       string `json:"why,omitempty"` // it is in quarantine
	Done      bool   `json:"done"`

	decision store.OffsetDecision
}

// plan says what going on from an offset means. to is nil where the partition is gone.
func (v *view) plan(p store.PositionView, to *int64, action, why string) Move {
	m := Move{Topic: p.Topic, Partition: p.Partition, From: p.NextOffset, To: to, Why: v.unusable(p)}
	m.decision = store.OffsetDecision{Action: action, Source: p.Source, TopicID: p.TopicID, Resume: to, Why: m.Why}
	if m.Why != "" { // it stands still, so this must be what the operator saw
		m.decision.Seen = &p.NextOffset
	}
	if m.decision.Why != "" && why != "" {
		m.decision.Why += "; "
	}
	m.decision.Why += why
	log, ok := v.logs[partitionOf(p)]
	if ok {
		m.decision.TopicID = log.TopicID
	}
	m.Effect = effect(p, log, to)
	return m
}

func effect(p store.PositionView, log worker.Log, to *int64) string {
	switch {
	case to == nil:
		return "the position is retired: if the partition is ever made again, it starts at its beginning"
	case p.TopicID != log.TopicID:
		text := fmt.Sprintf("begins the new topic at %d, with %s to apply; what the old one had from %d on is not applied", *to, cli.CountOf(log.End-*to, "offset"), p.NextOffset)
		if *to > 0 {
			text += fmt.Sprintf("; skips %s of the new one, 0 to %d", cli.CountOf(*to, "offset"), *to-1)
		}
		return text
	case *to > p.NextOffset:
		text := fmt.Sprintf("skips %s, %d to %d", cli.CountOf(*to-p.NextOffset, "offset"), p.NextOffset, *to-1)
		if gone := min(log.Start, *to) - p.NextOffset; gone > 0 {
			text += fmt.Sprintf(", of which %d are deleted", gone)
		}
		return text
	case *to < p.NextOffset && log.Shared >= 0 || p.NextOffset > log.End:
		return fmt.Sprintf("applies what the log has from %d on; what was applied of %d to %d before the log was cut stays applied", *to, *to, p.NextOffset-1)
	case *to < p.NextOffset:
		return fmt.Sprintf("applies %s again, %d to %d", cli.CountOf(p.NextOffset-*to, "offset"), *to, p.NextOffset-1)
	}
	return "goes on where it is"
}

// decide prints what becomes of the positions that are chosen, if each goes on at its target, and
// carries it out where that is wanted. To leave some of what was asked for alone is to fail.
func (d *decision) decide(ctx context.Context, p *cli.Program, action string, healthy bool, target func(*view, store.PositionView) (*int64, error)) error {
	if err := d.check(); err != nil {
		return err
	}
	v, err := d.look(ctx, p)
	if err != nil {
		return err
	}
	defer v.close()
	chosen, left, err := d.of(v, healthy)
	if err != nil {
		return err
	}
	var moves []Move
	for _, position := range chosen {
		to, err := target(v, position)
		if err != nil {
			return err
		}
		moves = append(moves, v.plan(position, to, action, d.Why))
	}
	if d.Execute {
		if err := v.execute(ctx, moves); err != nil {
			return err
		}
	}
	return errors.Join(printMoves(p, moves, d.Execute, d.JSON), left.err())
}

func (v *view) execute(ctx context.Context, moves []Move) error {
	decisions := make([]store.OffsetDecision, len(moves))
	for i, m := range moves {
		decisions[i] = m.decision
	}
	from, err := v.db.DecideOffsets(ctx, decisions)
	if err != nil {
		return err
	}
	for i := range moves {
		moves[i].From, moves[i].Done = from[moves[i].decision.Source], true
	}
	return nil
}

func printMoves(p *cli.Program, moves []Move, executed, asJSON bool) error {
	err := cli.PrintList(p, asJSON, []string{"TOPIC", "PARTITION", "FROM", "TO", "WHAT IT MEANS"}, moves, func(m *Move) []string {
		return []string{m.Topic, fmt.Sprint(m.Partition), fmt.Sprint(m.From), number(m.To), m.Effect}
	})
	switch {
	case err != nil || asJSON:
		return err
	case executed:
		fmt.Fprintln(p.Out, "Done. The workers notice by themselves, within seconds.")
	default:
		fmt.Fprintln(p.Out, "Nothing was changed. Say --execute to do it.")
	}
	return nil
}
