package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/cmd/internal/config"
)

// AnswerTime is how long a server may take to answer a person's command.
const AnswerTime = 10 * time.Second

// ForAnswer is a context for as long as that, or half of the time that its caller has left: so the
// caller can still say what did not answer.
func ForAnswer(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := AnswerTime
	if end, has := ctx.Deadline(); has {
		limit = max(0, min(limit, time.Until(end)/2))
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit.Round(100*time.Millisecond)))
}

// ConnectKafka makes a client for a person's command. Its error says at once where nobody answers.
func (p *Program) ConnectKafka(ctx context.Context, kafka config.Kafka, more ...kgo.Opt) (*kgo.Client, error) {
	dial := kafka.Dialer()
	if err := ReachAny(ctx, kafka, dial); err != nil {
		return nil, err
	}
	var connected atomic.Bool
	client, err := kgo.NewClient(slices.Concat(kafka.Options(p.Name, dial), []kgo.Opt{
		kgo.WithLogger(quietLogger(slog.NewTextHandler(p.Err, nil), connected.Load)), // what goes wrong before is the command's own error
		kgo.MetadataMinAge(100 * time.Millisecond),                                   // a topic that was just made is asked for again soon
	}, more)...)
	if err != nil {
		return nil, fmt.Errorf("make Kafka client: %w", err)
	}
	ctx, cancel := ForAnswer(ctx)
	defer cancel()
	if err := ping(ctx, client); err != nil {
		client.Close()
		return nil, fmt.Errorf("ask Kafka at %s: %w", kafka.Brokers, kafka.Explain(CauseOf(ctx, err)))
	}
	connected.Store(true)
	return client, nil
}

// ReachAny opens a connection to one of the brokers and closes it. The client would try for long
// before it says what is wrong. All are tried at once: where one is a black hole, the others need
// not wait for it.
func ReachAny(ctx context.Context, kafka config.Kafka, dial config.Dialer) error {
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
	return fmt.Errorf("Kafka does not answer at %s; is it running, and does KAFKA_BROKERS name it? %w", kafka.Brokers, errors.Join(errs...)) //nolint:staticcheck // a name
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

// CauseOf prefers why the context ended to the bare fact that it did.
func CauseOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
}
