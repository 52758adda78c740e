package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
)

// A gauge whose loop stands still is not shown: an old figure would look like one of today's. The
// part is named in the metric and in the notes.
func TestService_showsNoFigureOfAPartThatStandsStill(t *testing.T) {
	s := startService(t)
	require.NoError(t, s.stop())
	s.adjust = func(w *wiring) {
		w.metrics.worker.Parts.Patience = 30 * time.Second // the outbox' days are counted every 22 s at least
		w.lookEvery, w.inspectEvery = time.Hour, time.Hour
	}
	s.start()
	figures := map[string]string{
		"old transactions": "allocation_oldest_transaction_age_seconds ", "settings of topics": "allocation_topic_misconfigured{",
		"days of the outbox": "allocation_outbox_partitions_ahead ",
	}
	for _, figure := range figures {
		s.eventually("shown: "+figure, func() bool { return strings.Contains(s.get("/metrics"), "\n"+figure) })
	}
	s.execute(`alter function outbox_days_ahead rename to gone`)
	for part, figure := range figures {
		require.Eventually(t, func() bool {
			return strings.Contains(s.get("/readyz"), part+": stands still for ") && !strings.Contains(s.get("/metrics"), "\n"+figure)
		}, 2*time.Minute, 100*time.Millisecond, part)
		require.Regexp(t, fmt.Sprintf(`\nallocation_part_stands_seconds\{part=%q\} [1-9]`, part), s.get("/metrics"))
	}
	require.Regexp(t, `days of the outbox: stands still for .*outbox_days_ahead`, s.get("/readyz"), "it says why")
	require.True(t, strings.HasPrefix(s.get("/readyz"), "200"), "commands are applied")

	s.execute(`alter function gone rename to outbox_days_ahead`)
	require.Eventually(t, s.daysAhead("14"), 2*time.Minute, 100*time.Millisecond)
}

// A process that hangs is not alive, and answers so at once: who asked it for more would hang as
// well.
func TestWeb_saysThatTheProcessHangs(t *testing.T) {
	t.Parallel()
	ready := newReadiness()
	addr := serveWeb(t, ready)
	require.Equal(t, http.StatusOK, ask(t, addr, http.MethodGet, "/livez", nil, http.Header{}))
	ready.watch(func() string { return "this process hangs" })
	require.Equal(t, http.StatusServiceUnavailable, ask(t, addr, http.MethodGet, "/livez", nil, http.Header{}))

	w := &wiring{metrics: newMetrics()}
	w.metrics.worker.Parts.Patience = 0
	for _, part := range w.metrics.worker.Parts.All() {
		part.Begin()
	}
	answer := w.healthOf(nil)(t.Context())
	require.Len(t, answer.reasons, 1)
	require.Contains(t, answer.reasons[0], "this process hangs for ")
}

// noTable is never asked.
type noTable struct{ outbox.Table }

// The runbook says of each part what shows that it stands still.
func TestRunbook_namesEveryPart(t *testing.T) {
	t.Parallel()
	metrics := newMetrics()
	relay, err := outbox.NewRelay(outbox.Options{
		Table: noTable{}, MaxRows: 1, MaxBytes: 1, Parts: metrics.worker.Parts, Envelope: outbox.Envelope{TypePrefix: typePrefix, EventsTopic: "e", DeadLetterTopic: "d", Source: "/", Group: "g"},
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, relay.Stop(t.Context())) }()
	runbook := document(t, "docs/runbook.md")
	_, table, _ := strings.Cut(runbook, "## What stands still\n")
	table, _, _ = strings.Cut(table, "\n## ")
	parts := metrics.worker.Parts.All()
	require.Greater(t, len(parts), 10)
	for _, part := range parts {
		require.Regexp(t, "(?m)^\\| .*`"+regexp.QuoteMeta(part.Name())+"`.* \\|", table)
	}
}
