package offsets

import (
	"context"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

type acceptCommand struct{ decision }

func (acceptCommand) Help() string {
	return `Ends the quarantine of partitions by accepting their logs as they are, so that nothing more is skipped than is lost already: after records
were deleted it goes on at the start of the log; after the log was cut, where it was cut; a topic that was made again begins at its start, and
what the old one left to publish is published. It prints what that means, and does it with --execute. Workers need not be stopped.

The database's user needs the role ${program}_operator: a worker's may not decide this.

Example:

    ${program} offsets accept --topic ${topic} --partition 3 --execute`
}

// Run says what accepting means, or does it.
func (c *acceptCommand) Run(ctx context.Context, p *cli.Program) error {
	return c.decide(ctx, p, "accept", false, func(v *view, position store.PositionView) (*int64, error) {
		log, ok := v.logs[partitionOf(position)]
		if !ok {
			return nil, nil
		}
		at := log.GoOn(position.Position())
		return &at, nil
	})
}
