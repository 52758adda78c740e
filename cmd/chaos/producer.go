package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// producer sends commands, and notes what Kafka acknowledged.
type producer struct {
	*shop

	transactional bool
	client        *kgo.Client
	sent          int
}

// transactionTime is after which Kafka aborts a transaction that nobody ends. Until then, it holds
// up the commands behind it.
const transactionTime = 10 * time.Second

func (p *producer) connect() error {
	p.close()
	options := []kgo.Opt{
		kgo.SeedBrokers(p.load.campaign.cluster.Brokers()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(200 * time.Millisecond), kgo.MetadataMaxAge(producersLook / 2), kgo.UnknownTopicRetries(-1), kgo.MaxBufferedRecords(2 * maxBurst),
	}
	if p.transactional {
		options = append(options, kgo.TransactionalID(p.Name), kgo.TransactionTimeout(transactionTime))
	}
	var err error
	p.client, err = kgo.NewClient(options...)
	return err
}

func (p *producer) close() {
	if p.client != nil {
		p.client.Close()
	}
}

// run sends in bursts, as time goes by.
func (p *producer) run(ctx context.Context, began time.Time) error {
	if err := p.connect(); err != nil {
		return err
	}
	burst := 1
	for rest(ctx, 50*time.Millisecond) {
		due := p.load.due(began) - p.sent
		if due < burst || p.load.campaign.monitor.lag.Load() > maxLag {
			continue
		}
		records := p.records(min(due, maxBurst))
		if err := p.send(context.WithoutCancel(ctx), records); err != nil {
			return err
		}
		p.sent += len(records)
		burst = 1 + p.IntN(maxBurst)
		if p.IntN(2) == 0 {
			burst = 1 + p.IntN(20)
		}
	}
	return nil
}

// send returns when Kafka has answered for all records.
func (p *producer) send(ctx context.Context, records []*kgo.Record) error {
	if p.transactional {
		return p.transact(ctx, records)
	}
	results := p.client.ProduceSync(ctx, records...)
	broken := false
	for _, result := range results {
		if result.Err == nil {
			p.load.acked.note(result.Record)
			p.load.sent.Add(1)
			continue
		}
		p.load.refused.Add(1)
		broken = true
	}
	if broken {
		p.load.campaign.say("producer %s begins anew: %v", p.Name, results.FirstErr())
		return p.connect()
	}
	return nil
}

// transact sends records as one transaction, which it aborts now and then. What it does not know to
// be committed is not noted.
func (p *producer) transact(ctx context.Context, records []*kgo.Record) error {
	commit := kgo.TransactionEndTry(p.IntN(100) >= p.mix[partAborted])
	ctx, cancel := context.WithTimeout(ctx, 2*transactionTime)
	defer cancel()
	err := p.client.BeginTransaction()
	if err == nil {
		err = p.client.ProduceSync(ctx, records...).FirstErr()
	}
	if err == nil {
		err = p.client.EndTransaction(ctx, commit)
	}
	if err != nil {
		p.load.aborted.Add(int64(len(records)))
		p.load.campaign.say("producer %s begins anew: %v", p.Name, err)
		return p.connect() // whose first transaction aborts what is open
	}
	if !commit {
		p.load.aborted.Add(int64(len(records)))
		return nil
	}
	p.load.acked.note(records...)
	p.load.sent.Add(int64(len(records)))
	return nil
}
