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
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/plugin/kslog"

	"allocation/cmd/allocation/config"
	"allocation/worker"
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
	if err := ping(ctx, client); err != nil {
		client.Close()
		return nil, fmt.Errorf("ask Kafka at %s: %w", kafka.Brokers, kafka.Explain(causeOf(ctx, err)))
	}
	connected.Store(true)
	return client, nil
}

// reachAny opens a connection to one of the brokers and closes it. The client would try for long
// before it says what is wrong. All are tried at once: where one is a black hole, the others need
// not wait for it.
func reachAny(ctx context.Context, kafka config.Kafka, dial config.Dialer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seeds := kafka.Seeds()
	reached := make(chan error, len(seeds))
	for _, seed := range seeds {
		go func() {
			conn, err := dial(ctx, "tcp", seed)
			if err == nil {
				err = conn.Close()
			}
			reached <- err
		}()
	}
	var errs []error
	for range seeds {
		err := <-reached
		if err == nil {
			return nil
		}
		if access := (*config.AccessError)(nil); errors.As(err, &access) {
			return err // it does answer
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("Kafka does not answer at %s; is it running, or is KAFKA_BROKERS another? %w", kafka.Brokers, errors.Join(errs...)) //nolint:staticcheck // a name
}

// ping asks the brokers that were named, all at once, and returns when one answers.
func ping(ctx context.Context, client *kgo.Client) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seeds := client.SeedBrokers()
	answers := make(chan error, len(seeds))
	for _, seed := range seeds {
		go func() {
			request := kmsg.NewPtrMetadataRequest()
			request.Topics = []kmsg.MetadataRequestTopic{}
			_, err := seed.Request(ctx, request)
			answers <- err
		}()
	}
	for range seeds {
		if err = <-answers; err == nil {
			return nil
		}
	}
	return err
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
	var missing, hidden []string
	for _, topic := range topics { // one by one: a refusal of all at once does not name the topic
		found, err := worker.ListTopics(ctx, client, topic)
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(found[topic].Err, kerr.TopicAuthorizationFailed):
			hidden = append(hidden, topic)
		case err != nil:
			return err
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

// topicsWithoutID says which of the topics have no id. Events are named by it, and it tells a topic
// that was made again.
func topicsWithoutID(ctx context.Context, client *kgo.Client, topics ...string) error {
	found, err := worker.ListTopics(ctx, client, topics...)
	if err != nil {
		return err
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
