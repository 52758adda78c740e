package service

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/topics"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

// inspectEvery is how often a running worker looks at the settings of its topics.
const inspectEvery = time.Minute

// topicWatch knows what is wrong with the settings of topics, and tells it in log, metric and
// notes.
type topicWatch struct {
	logger *slog.Logger
	gauge  *prometheus.GaugeVec

	mu    sync.Mutex
	found []topics.Finding
}

// take logs what is new, and what is mended.
func (w *topicWatch) take(found []topics.Finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.found {
		if !slices.Contains(found, f) {
			w.gauge.WithLabelValues(f.Topic, f.Setting, string(f.Severity)).Set(0)
			w.logger.Info("a topic's setting is right again", "topic", f.Topic, "setting", f.Setting)
		}
	}
	for _, f := range found {
		w.gauge.WithLabelValues(f.Topic, f.Setting, string(f.Severity)).Set(1)
		if slices.Contains(w.found, f) {
			continue
		}
		attrs := []any{"topic", f.Topic, "setting", f.Setting, "value", f.Value}
		if f.Mend != "" {
			attrs = append(attrs, "mend", f.Mend)
		}
		if f.Severity == topics.Severe {
			w.logger.Error("commands are lost: "+f.Says, attrs...)
		} else {
			w.logger.Warn(f.Says, attrs...)
		}
	}
	w.found = found
}

// notes are what loses commands.
func (w *topicWatch) notes() (notes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.found {
		if f.Severity == topics.Severe {
			notes = append(notes, "commands are lost: "+f.String())
		}
	}
	return notes
}

func (p *Process) inspector(client *kgo.Client) topics.Inspector {
	return topics.Inspector{Client: client, Topics: p.settings.Topics, Retention: p.settings.Tuning.OutboxRetention, Seeds: p.settings.Kafka.Brokers}
}

// watchTopics looks at the settings of topics now and then, until the context ends. What it finds
// does not stop the work.
func (p *Process) watchTopics(ctx context.Context) {
	client, err := kgo.NewClient(p.kafkaOptions()...)
	if err != nil {
		return // the same options made the relay's
	}
	defer client.Close()
	tick := time.NewTicker(p.inspectEvery)
	defer tick.Stop()
	p.metrics.settings.Begin()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		attempt, cancel := context.WithTimeout(ctx, cli.AnswerTime)
		found, err := p.inspector(client).Inspect(attempt)
		cancel()
		p.metrics.settings.Ill(err)
		if err == nil {
			p.topicWatch.take(found)
		} else if ctx.Err() == nil {
			p.metrics.worker.Retries.WithLabelValues(systemKafka, "settings").Inc()
		}
	}
}
