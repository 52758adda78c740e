package offsets

import (
	"context"

	"allocation/cmd/internal/cli"
)

type acceptCommand struct {
	servers
	choice
	decisionFlags
}

func (acceptCommand) Help() string {
	return `Ends the quarantine of partitions by accepting their logs as they are, so that nothing more is skipped than is lost already: after records
were deleted it goes on at the start of the log; after the log was cut, where it was cut; a topic that was made again begins at its start, and
what the old one left to publish is published. It prints what that means, and does it with --execute. Workers need not be stopped.

The database's user needs the role ${program}_operator: a worker's may not decide this.

Example:

    ${program} offsets accept --topic warehouse.commands --partition 3 --execute`
}

// Run says what accepting means, or does it.
func (c *acceptCommand) Run(ctx context.Context, p *cli.Program) error {
	if err := c.check(); err != nil {
		return err
	}
	v, err := c.look(ctx, p)
	if err != nil {
		return err
	}
	defer v.close()
	chosen, left, err := c.of(v, false)
	if err != nil {
		return err
	}
	var moves []Move
	for _, position := range chosen {
		var to *int64
		if log, ok := v.logs[partitionOf(position)]; ok {
			at := log.GoOn(position.Position())
			to = &at
		}
		moves = append(moves, v.plan(position, to, "accept", c.Why))
	}
	return decide(ctx, p, v, moves, left, c.decisionFlags, c.JSON)
}
