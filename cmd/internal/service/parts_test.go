package service

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/outbox"
)

// A process that hangs is not alive, and answers so at once: who asked it for more would hang as
// well.
func TestWeb_saysThatTheProcessHangs(t *testing.T) {
	t.Parallel()
	ready := newReadiness()
	addr := serveWeb(t, ready)
	require.Equal(t, http.StatusOK, ask(t, addr, http.MethodGet, "/livez", nil, http.Header{}))
	ready.watch(func() string { return "this process hangs" })
	require.Equal(t, http.StatusServiceUnavailable, ask(t, addr, http.MethodGet, "/livez", nil, http.Header{}))

	p := &Process{metrics: newMetrics("allocation", nil)}
	p.metrics.worker.Parts.Patience = 0
	for _, part := range p.metrics.worker.Parts.All() {
		part.Begin()
	}
	answer := p.healthOf(nil)(t.Context())
	require.Len(t, answer.reasons, 1)
	require.Contains(t, answer.reasons[0], "this process hangs for ")
}

// noTable is never asked.
type noTable struct{ outbox.Table }

// The runbook says of each part what shows that it stands still.
func TestRunbook_namesEveryPart(t *testing.T) {
	t.Parallel()
	metrics := newMetrics("allocation", nil)
	relay, err := outbox.NewRelay(outbox.Options{
		Table: noTable{}, MaxRows: 1, MaxBytes: 1, Parts: metrics.worker.Parts, Envelope: outbox.Envelope{TypePrefix: "t.", EventsTopic: "e", DeadLetterTopic: "d", Source: "/", Group: "g"},
	})
	require.NoError(t, err)
	relaying := newParts(t.Context())
	relaying.run(relay.Run)
	defer func() { require.True(t, relaying.stop(stopTime)) }()
	runbook := readRunbook(t)
	_, table, _ := strings.Cut(runbook, "## What stands still\n")
	table, _, _ = strings.Cut(table, "\n## ")
	parts := metrics.worker.Parts.All()
	require.Greater(t, len(parts), 10)
	for _, part := range parts {
		require.Regexp(t, "(?m)^\\| .*`"+regexp.QuoteMeta(part.Name())+"`.* \\|", table)
	}
}

func readRunbook(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/runbook.md")
	require.NoError(t, err)
	return string(text)
}
