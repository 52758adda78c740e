package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Member is a member of the consumer group, as Kafka shows it.
type Member struct {
	ID         string
	Client     string // its client id
	Host       string
	Worker     bool     // it says that it is a worker of this program
	Database   [16]byte // the id of the database that it says it works with; zero: it does not say
	Topics     []string // that it consumes
	Partitions []TopicPartition
}

func (m *Member) String() string { return fmt.Sprintf("client %q at %s", m.Client, m.Host) }

// Group is who takes part in the consumer group.
type Group struct {
	Settled bool // nothing moves: only then does Kafka show more of members than who they are
	Members []Member
}

// Foreign are the members that are no workers. A worker of a version that does not say so yet seems
// to be one.
func (g *Group) Foreign() (foreign []Member) {
	if !g.Settled {
		return nil
	}
	for _, m := range g.Members {
		if !m.Worker {
			foreign = append(foreign, m)
		}
	}
	return foreign
}

// Owners are the members that have partitions.
func (g *Group) Owners() map[TopicPartition]Member {
	owners := map[TopicPartition]Member{}
	for _, m := range g.Members {
		for _, p := range m.Partitions {
			owners[p] = m
		}
	}
	return owners
}

// DescribeGroup asks Kafka who takes part in a group. One that does not exist has no members.
func DescribeGroup(ctx context.Context, admin *kadm.Client, name string) (Group, error) {
	described, err := admin.DescribeGroups(ctx, name)
	if err != nil {
		return Group{}, fmt.Errorf("describe group %s: %w", name, err)
	}
	g := described[name]
	if errors.Is(g.Err, kerr.GroupIDNotFound) || g.Err == nil && g.State == "Dead" {
		return describeConsumerGroup(ctx, admin, name)
	}
	if g.Err != nil {
		return Group{}, fmt.Errorf("describe group %s: %w", name, g.Err)
	}
	group := Group{Settled: g.State == "Stable" || g.State == "Empty"}
	for _, d := range g.Members {
		m := Member{ID: d.MemberID, Client: d.ClientID, Host: d.ClientHost}
		if join, ok := d.Join.AsConsumer(); ok {
			m.Topics = join.Topics
			m.Database, m.Worker = readTag(join.UserData)
		}
		if assigned, ok := d.Assigned.AsConsumer(); ok {
			for _, t := range assigned.Topics {
				for _, p := range t.Partitions {
					m.Partitions = append(m.Partitions, TopicPartition{t.Topic, p})
				}
			}
		}
		group.Members = append(group.Members, m)
	}
	return group, nil
}

// describeConsumerGroup asks about a group of the newer kind (KIP-848), into which a group turns
// when a consumer of that kind joins it. Kafka does not show there what workers say. But they are
// of the older kind, so who is of the newer is none.
func describeConsumerGroup(ctx context.Context, admin *kadm.Client, name string) (Group, error) {
	const newer = 1
	described, err := admin.DescribeConsumerGroups(ctx, name)
	g, ok := described[name]
	if errors.Is(err, kerr.UnsupportedVersion) || ok && errors.Is(g.Err, kerr.GroupIDNotFound) {
		return Group{Settled: true}, nil
	}
	if err == nil {
		err = g.Err
	}
	if err != nil {
		return Group{}, fmt.Errorf("describe group %s: %w", name, err)
	}
	group := Group{Settled: true}
	for _, d := range g.Members {
		m := Member{ID: d.MemberID, Client: d.ClientID, Host: d.ClientHost, Worker: d.MemberType != newer, Topics: d.SubscribedTopics}
		for topic, partitions := range d.Assignment {
			for p := range partitions {
				m.Partitions = append(m.Partitions, TopicPartition{topic, p})
			}
		}
		group.Members = append(group.Members, m)
	}
	return group, nil
}

// tagged is a balancer whose members say that they are workers, and of which database. Its protocol
// keeps its name: one of its own would lock workers out for as long as a foreign member has it,
// and would keep out neither consumers of the newer kind nor, in the first version, anybody.
type tagged struct {
	kgo.GroupBalancer
	database func() [16]byte
}

// JoinGroupMetadata adds the tag behind what other members may read.
func (t tagged) JoinGroupMetadata(topics []string, current map[string][]int32, generation int32) []byte {
	plain := t.GroupBalancer.JoinGroupMetadata(topics, current, generation)
	meta := kmsg.NewConsumerMemberMetadata()
	if meta.ReadFrom(plain) != nil {
		return plain
	}
	meta.UserData = appendTag(meta.UserData, t.database())
	return meta.AppendTo(nil)
}

// MemberBalancer leaves out members whose metadata cannot be read: they get no partition, and keep
// none from the others.
func (t tagged) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	readable := slices.DeleteFunc(slices.Clone(members), func(m kmsg.JoinGroupResponseMember) bool {
		_, _, err := t.GroupBalancer.MemberBalancer([]kmsg.JoinGroupResponseMember{m})
		return err != nil
	})
	return t.GroupBalancer.MemberBalancer(readable)
}

const tagMark = "worker/1"

func appendTag(data []byte, database [16]byte) []byte {
	return append(append(data, tagMark...), database[:]...)
}

func readTag(data []byte) (database [16]byte, ok bool) {
	at := len(data) - len(tagMark) - len(database)
	if at < 0 || string(data[at:at+len(tagMark)]) != tagMark {
		return database, false
	}
	copy(database[:], data[at+len(tagMark):])
	return database, true
}
