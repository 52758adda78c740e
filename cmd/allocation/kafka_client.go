package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"

	"allocation/cmd/allocation/config"
)

// answerTime is how long a server may take to answer a person's command.
const answerTime = 10 * time.Second

// connectKafka makes a client for a person's command. Its error says at once where nobody answers.
func (p *program) connectKafka(ctx context.Context, kafka config.Kafka, more ...kgo.Opt) (*kgo.Client, error) {
	dial := kafka.Dialer()
	if err := reachAny(ctx, kafka, dial); err != nil {
		return nil, err
	}
	var connected atomic.Bool
	client, err := kgo.NewClient(slices.Concat(kafka.Options(dial), []kgo.Opt{
		kgo.WithLogger(quietLogger(onceSo{slog.NewTextHandler(p.err, nil), &connected})), // what goes wrong before is the command's own error
		kgo.MetadataMinAge(100 * time.Millisecond),                                       // a topic that was just made is asked for again soon
	}, more)...)
	if err != nil {
		return nil, fmt.Errorf("make Kafka client: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("no answer within %s", answerTime))
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("ask Kafka at %s: %w", kafka.Brokers, kafka.Explain(causeOf(ctx, err)))
	}
	connected.Store(true)
	return client, nil
}

// reachAny opens a connection to one of the brokers and closes it. The client would try for long before it says what is wrong.
func reachAny(ctx context.Context, kafka config.Kafka, dial config.Dialer) error {
	var errs []error
	for _, seed := range kafka.Seeds() {
		conn, err := dial(ctx, "tcp", seed)
		if err == nil {
			return conn.Close()
		}
		if access := (*config.AccessError)(nil); errors.As(err, &access) {
			return err // it does answer
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("Kafka does not answer at %s; is it running, or is KAFKA_BROKERS another? %w", kafka.Brokers, errors.Join(errs...)) //nolint:staticcheck // a name
}

// causeOf prefers why the context ended to the bare fact that it did.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
}

// quietLogger lets the Kafka client warn, and not tell what it does.
func quietLogger(handler slog.Handler) kgo.Logger {
	return kslog.New(slog.New(warnings{handler}).With("part", "kafka client"))
}

// warnings passes on what is worth a warning.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// onceSo passes nothing on until something is so.
type onceSo struct {
	slog.Handler
	so *atomic.Bool
}

func (o onceSo) Enabled(ctx context.Context, level slog.Level) bool {
	return o.so.Load() && o.Handler.Enabled(ctx, level)
}
func (o onceSo) WithAttrs(attrs []slog.Attr) slog.Handler {
	return onceSo{o.Handler.WithAttrs(attrs), o.so}
}
func (o onceSo) WithGroup(name string) slog.Handler { return onceSo{o.Handler.WithGroup(name), o.so} }

// missingTopics says which of the topics do not exist, and what to do about it.
func missingTopics(ctx context.Context, client *kgo.Client, topics ...string) error {
	admin := kadm.NewClient(client)
	var missing, hidden []string
	for _, topic := range topics { // one by one: a refusal of all at once does not name the topic
		found, err := admin.ListTopics(ctx, topic)
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(found[topic].Err, kerr.TopicAuthorizationFailed):
			hidden = append(hidden, topic)
		case err != nil:
			return fmt.Errorf("list topics: %w", err)
		case !found.Has(topic):
			missing = append(missing, topic)
		}
	}
	if len(hidden) > 0 {
		return &hiddenTopicsError{hidden}
	}
	if len(missing) > 0 {
		return &missingTopicsError{missing}
	}
	return nil
}

// topicsWithoutID says which of the topics have no id. Events are named by it, and it tells a topic that was made again.
func topicsWithoutID(ctx context.Context, client *kgo.Client, topics ...string) error {
	found, err := kadm.NewClient(client).ListTopics(ctx, topics...)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	var without []string
	for _, t := range found.Sorted() {
		if t.Err == nil && t.ID == (kadm.TopicID{}) {
			without = append(without, t.Topic)
		}
	}
	if len(without) > 0 {
		return &noTopicIDError{without}
	}
	return nil
}

// noTopicIDError names topics that have no id.
type noTopicIDError struct{ topics []string }

func (e *noTopicIDError) Error() string {
	return fmt.Sprintf("Kafka gives no topic ids (asked about %s), and events are named by them: a worker needs brokers of 2.8 or newer whose inter.broker.protocol.version is 2.8 or newer",
		strings.Join(e.topics, ", "))
}

// missingTopicsError names topics that do not exist.
type missingTopicsError struct{ topics []string }

func (e *missingTopicsError) Error() string {
	if len(e.topics) == 1 {
		return fmt.Sprintf("the topic %s does not exist: run `allocation topics create`", e.topics[0])
	}
	return fmt.Sprintf("the topics %s do not exist: run `allocation topics create`", strings.Join(e.topics, ", "))
}

// hiddenTopicsError names topics that Kafka does not let this user see.
type hiddenTopicsError struct{ topics []string }

func (e *hiddenTopicsError) Error() string {
	return fmt.Sprintf("Kafka's access rules do not let this user see %s, if there is such a topic: SECURITY.md lists what each role needs", strings.Join(e.topics, ", "))
}
