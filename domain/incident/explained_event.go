package incident

import (
	"errors"
	"fmt"

	"allocation/domain/product"
)

// explainedEvent is an event as `explain --json` prints it.
type explainedEvent struct {
	Event
	Command Command `json:"command"`
}

func (r *Reader) explained(p *Product) error {
	if p.SKU == "" {
		return errors.New("events comes before sku; it must come first")
	}
	p.Start = &State{}
	r.told = newTold(p)
	if err := r.take.Begin(p); err != nil {
		return err
	}
	if err := r.array("events", r.event); err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	return r.take.End()
}

// event adds an event to its command, which is complete when an event of another one comes.
func (r *Reader) event(at string) error {
	var e explainedEvent
	if err := r.value(at, &e); err != nil {
		return err
	}
	if r.pending == nil && e.Sequence != 1 {
		return fmt.Errorf("%s.sequence is %d; without a start, it must be 1: allocation export derives the state before", at, e.Sequence)
	}
	if r.pending != nil && r.pending.Position == e.Command.Position {
		r.pending.Events = append(r.pending.Events, e.Event)
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	c := e.Command
	r.at = at
	if err := c.Rebuild(e.Event); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	r.pending = &c
	return nil
}

// Rebuild makes a command of its first event.
func (c *Command) Rebuild(first Event) error {
	d, err := product.ReadEventData(first.Data)
	if err != nil {
		return fmt.Errorf("data is %s; it must be an event's: %w", first.Data, err)
	}
	if c.Type, c.Data = product.Rebuild(product.EventType(first.Type), d); c.Type == "" {
		return fmt.Errorf("type is %q; no command has it as its first event", first.Type)
	}
	c.Outcome = Outcome{Result: Changed, Events: []Event{first}}
	return nil
}

func (r *Reader) flush() error {
	if r.pending == nil {
		return nil
	}
	if err := r.told.add(r.pending); err != nil {
		return in(r.at, err)
	}
	return in(r.at, r.take.Step(r.pending))
}
