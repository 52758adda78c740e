package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/cloudevent"
	"allocation/worker"
)

// maxPolled bounds the events that are taken from the client at once.
const maxPolled = 1000

// Kafka answers with so much, or after so long with what there is. Each answer is written to each
// reader, so many small ones would cost Kafka, the console and its readers more than the events.
const (
	fetchBytes = 256 << 10
	fetchWait  = 100 * time.Millisecond
)

// liveConsumer reads events for live, from where the topic ended when it began. It joins no group.
type liveConsumer struct {
	live *live
	run  string

	begun bool            // it knows where it began
	topic [16]byte        // the id of the topic
	next  map[int32]int64 // the offset with which each partition goes on
	seen  map[int32]bool  // partitions that there are
}

// consume reads until the context ends. While Kafka does not answer, it says so and tries again,
// and goes on where it was.
func (c *liveConsumer) consume(ctx context.Context) {
	for {
		if err := c.follow(ctx); ctx.Err() == nil {
			c.live.tell(c.run, false, err.Error())
		}
		again := time.NewTimer(c.live.again)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return
		}
	}
}

// follow reads with one client. What the client holds in memory is bounded.
func (c *liveConsumer) follow(ctx context.Context) error {
	client, err := c.live.program.ConnectKafka(ctx, c.live.kafka, kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(1<<20), kgo.MaxConcurrentFetches(2),
		kgo.FetchMinBytes(fetchBytes), kgo.FetchMaxWait(fetchWait))
	if err != nil {
		return err
	}
	defer client.Close()
	reads := map[int32]bool{}
	for {
		problem, err := c.look(ctx, client, reads)
		if err != nil {
			return err
		}
		c.live.tell(c.run, true, problem)
		if err := c.poll(ctx, client); err != nil {
			return err
		}
	}
}

// poll reads for a while.
func (c *liveConsumer) poll(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, c.live.look)
	defer cancel()
	for {
		fetches := client.PollRecords(ctx, maxPolled)
		var events []*liveEvent
		for _, r := range cloudevent.ByTime(fetches) {
			c.next[r.Partition] = r.Offset + 1
			events = append(events, c.live.read(r))
		}
		c.live.add(c.run, events)
		if ctx.Err() != nil {
			return nil
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("read %s, partition %d: %w", e.Topic, e.Partition, c.live.kafka.Explain(e.Err))
		}
	}
}

var errMadeAgain = errors.New("the topic of events was deleted and made again")

// look finds out whether Kafka answers, and has the client read the partitions that it does not
// read yet. It gives what goes wrong with some of them only.
func (c *liveConsumer) look(ctx context.Context, client *kgo.Client, reads map[int32]bool) (problem string, err error) {
	ctx, cancel := cli.ForAnswer(ctx)
	defer cancel()
	topic := c.live.topic
	if err := cli.RequireTopic(ctx, client, topic); err != nil {
		var missing *cli.MissingTopicsError
		c.begun = c.begun || errors.As(err, &missing) // all that is in it when it is made is new
		return "", c.explain(ctx, err)
	}
	topics, err := worker.ListTopics(ctx, client, topic)
	if err != nil {
		return "", c.explain(ctx, err)
	}
	if id := [16]byte(topics[topic].ID); id != c.topic {
		c.topic, c.next = id, map[int32]int64{} // of another topic of that name
		clear(c.seen)
		if len(reads) > 0 {
			return "", errMadeAgain
		}
	}
	answers := worker.Ask(ctx, client, topics, func(n worker.TopicPartition) bool { return !reads[n.Partition] })
	from := map[int32]kgo.Offset{}
	for name, log := range answers.Logs {
		from[name.Partition] = kgo.NewOffset().At(c.begin(name.Partition, log))
		reads[name.Partition] = true
	}
	for name, why := range answers.Silent {
		c.seen[name.Partition] = true
		problem = fmt.Sprintf("partition %d of %s does not tell where it is, and is read when it does: %v", name.Partition, topic, why)
	}
	if len(reads) == 0 && problem != "" {
		return "", errors.New(problem)
	}
	c.begun = true
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	return problem, nil
}

func (c *liveConsumer) explain(ctx context.Context, err error) error {
	return fmt.Errorf("ask Kafka at %s: %w", c.live.kafka.Brokers, c.live.kafka.Explain(cli.CauseOf(ctx, err)))
}

// begin is where a partition is read from: where it was read to; else from its start, where it was
// added since the consumer began; else from its end.
func (c *liveConsumer) begin(partition int32, log worker.Log) int64 {
	at, known := c.next[partition]
	switch {
	case known && at <= log.End:
		at = max(at, log.Start)
	case !known && c.begun && !c.seen[partition]:
		at = log.Start
	default:
		at = log.End
	}
	c.next[partition], c.seen[partition] = at, true
	return at
}
