package security

import (
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"
)

// leavesOut: a worker that may write to the topic of all events and not to the one of dead letters goes on without these. They are in the database.
func leavesOut(s *site) {
	w := s.startWorker(s.worker())
	w.ready(waitLimit)
	var write rule
	for _, r := range s.rules() {
		if r.principal == "User:allocation-worker" && r.operation == "Write" && strings.HasSuffix(r.name, ".dlq") {
			write = r
		}
	}
	s.forbid(write)
	s.sendMalformed()
	const skipped = `allocation_outbox_skipped_total{reason="TOPIC_AUTHORIZATION_FAILED",topic="warehouse.commands.dlq"} `
	await(s.t, waitLimit, func() string { return w.get("/metrics") }, skipped+"1\n")
	for range 5 {
		s.sendMalformed()
	}
	s.works(w)
	await(s.t, waitLimit, s.lags, `[0,0]`)
	ready := w.get("/readyz")
	require.Contains(s.t, ready, `{"ready":true,"notes":["outbox: publish to warehouse.commands.dlq: TOPIC_AUTHORIZATION_FAILED`)
	require.Contains(s.t, w.logged(), `msg="topic refuses every record; its records are left out until it takes one, and nothing else waits for them"`)
	require.Contains(s.t, s.done(s.operator(), "dlq", "list", "--json", "--reason=malformed"), `"malformed"`)

	s.allow(write)
	await(s.t, waitLimit, func() string { s.sendMalformed(); return w.logged() }, `msg="topic takes records again" part=relay topic=warehouse.commands.dlq`)
	w.ready(waitLimit)
	w.stop()
}

// lags are what is not published, by partition.
func (s *site) lags() string {
	s.t.Helper()
	var list []struct {
		Lag *int64 `json:"lag"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(s.done(s.operator(), "offsets", "list", "--json")), &list))
	lags := []int64{}
	for _, l := range list {
		require.NotNil(s.t, l.Lag)
		lags = append(lags, *l.Lag)
	}
	text, err := json.Marshal(lags)
	require.NoError(s.t, err)
	return string(text)
}
