package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/cli"
	"allocation/worker"
)

// checkGroupKind asks the group's coordinator whether it is of a kind that workers can join.
// Consumers of the newer protocol (KIP-848) are no hindrance: workers join them, and name them as
// foreign members.
func checkGroupKind(ctx context.Context, client *kgo.Client, group string) error {
	coordinator, err := worker.AnyBroker(ctx, func(ctx context.Context) (kadm.FindCoordinatorResponse, error) {
		found := kadm.NewClient(client).FindGroupCoordinators(ctx, group)[group]
		return found, found.Err
	})
	if err != nil {
		return fmt.Errorf("find the coordinator of group %s: %w", group, err)
	}
	answer, err := kmsg.NewPtrListGroupsRequest().RequestWith(ctx, client.Broker(int(coordinator.NodeID)))
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	for _, g := range answer.Groups {
		if kind := foreignKind(g); g.Group == group && kind != "" {
			return cli.SetupError(fmt.Sprintf("--kafka-group-id is %q, and Kafka has %s of that name, which takes no workers: give the name of a consumer group, or of one that does not exist yet",
				group, kind))
		}
	}
	return nil
}

// foreignKind is what a group is that workers cannot join; empty where they can. Brokers that are
// older than a kind do not tell of it.
func foreignKind(g kmsg.ListGroupsResponseGroup) string {
	empty := g.GroupState == "" || g.GroupState == "Empty" || g.GroupState == "Dead"
	switch kind := strings.ToLower(g.GroupType); {
	case kind == "share", kind == "streams":
		return "a " + kind + " group"
	case g.ProtocolType != "" && g.ProtocolType != "consumer" && !empty:
		return fmt.Sprintf("a group of the protocol %q", g.ProtocolType)
	}
	return ""
}
