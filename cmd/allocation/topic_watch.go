package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"allocation/cmd/internal/cli"

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
	found []topicFinding
}

// take logs what is new, and what is mended.
func (w *topicWatch) take(found []topicFinding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.found {
		if !slices.ContainsFunc(found, f.same) {
			w.gauge.WithLabelValues(f.topic, f.setting, string(f.severity)).Set(0)
			w.logger.Info("a topic's setting is right again", "topic", f.topic, "setting", f.setting)
		}
	}
	for _, f := range found {
		w.gauge.WithLabelValues(f.topic, f.setting, string(f.severity)).Set(1)
		if slices.ContainsFunc(w.found, f.same) {
			continue
		}
		attrs := []any{"topic", f.topic, "setting", f.setting, "value", f.value}
		if f.mend != "" {
			attrs = append(attrs, "mend", f.mend)
		}
		if f.severity == severe {
			w.logger.Error("commands are lost: "+f.says, attrs...)
		} else {
			w.logger.Warn(f.says, attrs...)
		}
	}
	w.found = found
}

func (f topicFinding) same(other topicFinding) bool { return f == other }

// notes are what loses commands.
func (w *topicWatch) notes() (notes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.found {
		if f.severity == severe {
			notes = append(notes, "commands are lost: "+f.String())
		}
	}
	return notes
}

// severeOnes are the findings with which a worker does not start.
func severeOnes(found []topicFinding) error {
	severeOnes := slices.DeleteFunc(slices.Clone(found), func(f topicFinding) bool { return f.severity != severe })
	if len(severeOnes) == 0 {
		return nil
	}
	return &topicSettingsError{severeOnes}
}

func (w *wiring) inspector(client *kgo.Client) topicInspector {
	return topicInspector{client: client, topics: w.settings.topics, retention: w.settings.tuning.OutboxRetention, seeds: w.settings.kafka.Brokers}
}

// watchTopics looks at the settings of topics now and then, until the context ends. What it finds
// does not stop the work.
func (w *wiring) watchTopics(ctx context.Context) {
	client, err := kgo.NewClient(w.kafkaOptions()...)
	if err != nil {
		return // the same options made the relay's
	}
	defer client.Close()
	tick := time.NewTicker(w.inspectEvery)
	defer tick.Stop()
	w.metrics.settings.Begin()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		attempt, cancel := context.WithTimeout(ctx, cli.AnswerTime)
		found, err := w.inspector(client).inspect(attempt)
		cancel()
		w.metrics.settings.Ill(err)
		if err == nil {
			w.topicWatch.take(found)
		} else if ctx.Err() == nil {
			w.metrics.worker.Retries.WithLabelValues(systemKafka, "settings").Inc()
		}
	}
}
