package main

import (
	"context"
	"fmt"

	"allocation/store"
)

type showBatchCommand struct {
	shown
	ID string `arg:"" name:"id" help:"The batch's reference."`
}

func (showBatchCommand) Help() string {
	return `Example:

    allocation show batch b1 --json`
}

// Run prints the batch.
func (c *showBatchCommand) Run(ctx context.Context, p *program) error {
	return view(ctx, p, c.shown, "batch", c.ID, (*store.Store).ShowBatch, p.printBatch)
}

func (p *program) printBatch(b *store.BatchView) error {
	if err := p.printBatches([]store.BatchView{*b}, 1); err != nil {
		return err
	}
	if len(b.Lines) > 0 {
		fmt.Fprintln(p.out)
		if err := p.printLines(b.Lines, b.LinesTotal); err != nil {
			return err
		}
	}
	return p.printHeld(b.Held)
}
