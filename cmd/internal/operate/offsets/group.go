package offsets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"allocation/cmd/internal/cli"
	"allocation/store"
	"allocation/worker"
)

// group is who has the partitions.
type group struct {
	worker.Group
	owners map[worker.TopicPartition]worker.Member
}

// group asks who takes part in the consumer group. Where this user may not know, it says so.
func (v *view) askGroup(ctx context.Context, p *cli.Program) (g group, err error) {
	_, name, err := v.db.Cluster(ctx)
	if err != nil || name == "" {
		return g, err
	}
	asking, cancel := cli.ForAnswer(ctx)
	defer cancel()
	g.Group, err = worker.DescribeGroup(asking, v.admin, name)
	if errors.Is(err, kerr.GroupAuthorizationFailed) {
		fmt.Fprintf(p.Err, "Kafka's access rules do not let this user see the group %s, so STATE does not tell which partitions no worker has: SECURITY.md lists what each role needs\n", name)
		return group{}, nil
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(p.Err, "Kafka does not tell who is in the group %s, so STATE does not tell which partitions no worker has: %v\n", name, cli.CauseOf(asking, err))
		return group{}, nil
	}
	g.owners = g.Owners()
	return g, err
}

// foreign says which consumer that is no worker has a partition; empty where none has.
func (g *group) foreign(p store.PositionView) string {
	owner, owned := g.owners[partitionOf(p)]
	if !g.Settled || !owned || owner.Worker {
		return ""
	}
	return fmt.Sprintf("the group gave the partition to %s, which is no worker of this version: nothing of it is applied", &owner)
}

// unread reports whether there are workers, and none of them reads the position's topic.
func (g *group) unread(p store.PositionView) bool {
	workers := false
	for _, m := range g.Members {
		if slices.Contains(m.Topics, p.Topic) {
			return false
		}
		workers = workers || m.Worker
	}
	return g.Settled && workers
}
