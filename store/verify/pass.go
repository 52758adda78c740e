package verify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// foldAll folds the events and compares what they add up to with the tables, in as many passes as
// the memory asks for.
func (v *verifier) foldAll(ctx context.Context) error {
	var from point
	for {
		v.summary.Passes++
		f := newFold(v, from)
		if err := v.pass(ctx, f); err != nil {
			return err
		}
		if f.last {
			return nil
		}
		from = f.to
	}
}

func (v *verifier) pass(ctx context.Context, f *fold) error {
	follow := &follower{v: v, sources: map[int32]*reader{}, take: f.add, published: v.o.Topic != nil}
	err := v.db.Snapshot(ctx, func(tx pgx.Tx) error {
		_, err := follow.look(ctx, tx)
		return err
	})
	if err == nil && v.o.Topic != nil {
		err = v.o.Topic(ctx, f.add) // which has all rows that were published before
	}
	if err == nil {
		err = follow.catchUp(ctx)
	}
	if err != nil {
		return err
	}
	c := &comparison{v: v, fold: f, follow: follow}
	if err := c.compare(ctx); err != nil {
		return err
	}
	return v.reportGaps(ctx, f)
}

// reportGaps reports events that are missing in the middle, unless a day was dropped that they may
// have been on.
func (v *verifier) reportGaps(ctx context.Context, f *fold) error {
	now, err := v.readDays(ctx)
	if err != nil || v.o.Topic == nil && (now.holes() || now.dropped(v.days)) {
		return err
	}
	for sku, p := range f.products {
		v.reportIf(p.gapFrom != 0 && !p.cut && f.holds(productPoint(sku)), CheckSequence, sku, v.history(), sku,
			fmt.Sprintf("events %d to %d", p.gapFrom, p.gapTo), "they are missing")
	}
	return v.failed
}

// history names where events come from.
func (v *verifier) history() string {
	if v.o.Topic != nil {
		return "events topic"
	}
	return "outbox"
}
