package topics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/config"
	"allocation/worker"
)

// Settings of topics.
const (
	CleanupPolicy   = "cleanup.policy"
	policyDelete    = "delete"
	retentionTime   = "retention.ms"
	retentionBytes  = "retention.bytes"
	minInSync       = "min.insync.replicas"
	uncleanElection = "unclean.leader.election.enable"
	replication     = "replication factor"

	unreadable = "all" // as the setting of a finding: none could be read
)

// eventBatchBytes is the most that the relay's client sends of events at once, before compression.
const eventBatchBytes = 1_000_012

// Inspector compares topics with what they are for.
type Inspector struct {
	Client    *kgo.Client
	Topics    config.Topics
	Retention time.Duration // of the outbox
	Seeds     string        // brokers, for the commands that mend
}

// view is what brokers tell of a topic.
type view struct {
	Inspector
	name     string
	settings map[string]string
	replicas int // the least of its partitions
	brokers  int // of the cluster
	found    []Finding
}

// Inspect gives what is not as it should be, in the order of the topics. Topics that do not exist
// are left out.
func (i Inspector) Inspect(ctx context.Context) ([]Finding, error) {
	inputs := i.Topics.Inputs()
	names := slices.Concat(inputs, i.Topics.Outputs(), []string{i.Topics.DeadLetterTopic})
	settings, hidden, err := i.describe(ctx, names)
	if err != nil {
		return nil, err
	}
	cluster, err := worker.AnyBroker(ctx, func(ctx context.Context) (kadm.Metadata, error) {
		return kadm.NewClient(i.Client).Metadata(ctx, names...)
	})
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var found []Finding
	largest := int64(0)
	for n, name := range names {
		v := view{Inspector: i, name: name, settings: settings[name], brokers: len(cluster.Brokers), replicas: replicasOf(cluster.Topics[name])}
		switch {
		case hidden[name]:
			found = append(found, Finding{Topic: name, Setting: unreadable, Severity: Unknown, Says: fmt.Sprintf(
				"the access rules do not let this user see the settings of %s, so whether they are right is not known: it needs DescribeConfigs", name)})
			continue
		case v.settings == nil:
			continue
		case n < len(inputs):
			largest = max(largest, v.number(maxMessageBytes, 0))
			v.checkCommands()
		case name == i.Topics.DeadLetterTopic:
			v.checkDeadLetters(largest)
		default:
			v.checkEvents()
		}
		v.checkReplicas()
		found = append(found, v.found...)
	}
	return found, nil
}

// describe asks for the settings of topics, and which of them are hidden from this user.
func (i Inspector) describe(ctx context.Context, names []string) (settings map[string]map[string]string, hidden map[string]bool, err error) {
	request := kmsg.NewDescribeConfigsRequest()
	for _, name := range names {
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, name
		resource.ConfigNames = []string{CleanupPolicy, retentionTime, retentionBytes, maxMessageBytes, minInSync, uncleanElection}
		request.Resources = append(request.Resources, resource)
	}
	answer, err := worker.AnyBroker(ctx, func(ctx context.Context) (*kmsg.DescribeConfigsResponse, error) {
		own := request
		return own.RequestWith(ctx, i.Client)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("describe the settings of topics: %w", err)
	}
	settings, hidden = map[string]map[string]string{}, map[string]bool{}
	for _, r := range answer.Resources {
		switch err := kerr.ErrorForCode(r.ErrorCode); {
		case err == nil:
			of := map[string]string{}
			for _, c := range r.Configs {
				if c.Value != nil {
					of[c.Name] = *c.Value
				}
			}
			settings[r.ResourceName] = of
		case errors.Is(err, kerr.TopicAuthorizationFailed):
			hidden[r.ResourceName] = true
		case errors.Is(err, kerr.UnknownTopicOrPartition):
		default:
			return nil, nil, fmt.Errorf("describe the settings of %s: %w", r.ResourceName, err)
		}
	}
	return settings, hidden, nil
}

func replicasOf(t kadm.TopicDetail) (least int) {
	for _, p := range t.Partitions {
		if least == 0 || len(p.Replicas) < least {
			least = len(p.Replicas)
		}
	}
	return least
}

// number is a setting's value, or another where brokers do not tell one.
func (v *view) number(setting string, otherwise int64) int64 {
	n, err := strconv.ParseInt(v.settings[setting], 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// note takes a finding down. should is the value that mends it; empty where no command does.
func (v *view) note(s Severity, setting, value, should, says string) {
	f := Finding{Topic: v.name, Setting: setting, Value: value, Severity: s, Says: says}
	if should != "" {
		f.Mend = fmt.Sprintf("kafka-configs --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s=%s",
			v.Seeds, v.name, setting, should)
	}
	v.found = append(v.found, f)
}

func (v *view) checkCommands() {
	v.checkKept(Severe, "of the commands with the same key all but the last are removed, whether they were applied or not",
		"a database that is restored to an earlier time than that cannot have its commands again")
	if size := v.number(retentionBytes, -1); size >= 0 {
		v.note(Warning, retentionBytes, fmt.Sprint(size), "-1", "commands are deleted when there are more, whether they were applied or not")
	}
}

func (v *view) checkEvents() {
	v.checkKept(Warning, "of the events with the same key all but the last are removed, also for consumers that have not read them",
		"a consumer that is behind by more misses events that the outbox still has")
	if size := v.number(maxMessageBytes, eventBatchBytes); size < eventBatchBytes {
		v.note(Warning, maxMessageBytes, fmt.Sprint(size), strconv.Itoa(defaultMessageBytes),
			fmt.Sprintf("up to %d bytes of events are sent at once; what is refused is sent one by one", eventBatchBytes))
	}
}

// checkDeadLetters: largest is the most that a command topic takes; 0: it is not known.
func (v *view) checkDeadLetters(largest int64) {
	v.checkKept(Warning, "of the dead letters with the same key all but the last are removed; the database keeps them",
		"what was decided about dead letters before is not known to `dlq lost` after a restore")
	needed := min(largest+deadLetterOverhead, math.MaxInt32)
	if has := v.number(maxMessageBytes, needed); largest > 0 && has < needed {
		v.note(Warning, maxMessageBytes, fmt.Sprint(has), strconv.FormatInt(needed, 10),
			fmt.Sprintf("a refused command of more than that, headers included, loses its value here; %d would be enough", needed))
	}
}

// checkKept says what it means where records are compacted, and where they are deleted earlier than
// the outbox is, which is how far back anybody looks.
func (v *view) checkKept(s Severity, compacted, deleted string) {
	policies := strings.Split(v.settings[CleanupPolicy], ",")
	if slices.ContainsFunc(policies, func(p string) bool { return strings.TrimSpace(p) == "compact" }) {
		v.note(s, CleanupPolicy, v.settings[CleanupPolicy], policyDelete, compacted)
	}
	ms := v.number(retentionTime, -1)
	if kept := time.Duration(ms) * time.Millisecond; ms >= 0 && ms < v.Retention.Milliseconds() {
		v.note(Warning, retentionTime, fmt.Sprint(ms), strconv.FormatInt(v.Retention.Milliseconds(), 10),
			fmt.Sprintf("that is %s, and --outbox-retention is %s: %s", kept, v.Retention, deleted))
	}
}

func (v *view) checkReplicas() {
	inSync := v.number(minInSync, 0)
	switch {
	case v.replicas == 1 && v.brokers > 1:
		v.note(Warning, replication, "1", "", "what the topic has is gone, or cannot be reached, when one broker is; kafka-reassign-partitions gives it more copies")
	case v.replicas > 1 && inSync == 1:
		v.note(Warning, minInSync, "1", "2", "a record may be acknowledged that only one broker has, and be lost with it")
	case v.replicas > 1 && inSync >= int64(v.replicas):
		v.note(Warning, minInSync, fmt.Sprint(inSync), strconv.Itoa(v.replicas-1), fmt.Sprintf("the topic has %d copies, so it takes no record while one broker is away", v.replicas))
	}
	if v.settings[uncleanElection] == "true" {
		v.note(Warning, uncleanElection, "true", "false", "acknowledged records may be lost when brokers fail")
	}
}
