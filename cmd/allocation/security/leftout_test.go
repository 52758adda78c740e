package security

import (
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/deploy/testbed"
)

// routed is a topic of EVENT_ROUTES.
const routed = "allocation.routed"

// leavesOut: a worker that may write to the topic of all events, and neither to the one of dead
// letters nor to one of a route, goes on without what belongs there. All of it is elsewhere.
func leavesOut(s *site) {
	_, err := kadm.NewClient(s.admin).CreateTopic(s.t.Context(), 1, 1, nil, routed)
	require.NoError(s.t, err)
	route := rule{"User:allocation-worker", "Write", "topic", routed}
	s.allow(route)
	routes := "Allocated=" + routed + ",OutOfStock=" + routed + ",AllocationRejected=" + routed
	w := s.startWorker(s.worker().with("EVENT_ROUTES=" + routes))
	w.ready()
	for _, r := range s.rules() {
		if r.principal == "User:allocation-worker" && r.operation == "Write" && strings.HasSuffix(r.name, ".dlq") {
			s.goesOnWithout(w, r, s.sendMalformed)
		}
	}
	s.goesOnWithout(w, route, func() { s.sendOrder() })
	require.Contains(s.t, s.done(s.operator(), "dlq", "list", "--json", "--reason=malformed"), `"malformed"`)
	w.stop()
}

// goesOnWithout: what a topic refuses is left out, named and counted, and nothing waits for it.
func (s *site) goesOnWithout(w *worker, write rule, send func()) {
	s.t.Helper()
	skipped := `allocation_outbox_skipped_total{reason="TOPIC_AUTHORIZATION_FAILED",topic="` + write.name + `"} 1` + "\n"
	s.forbid(write)
	send()
	await(s.t, func() string { return w.Get("/metrics") }, skipped)
	for range 5 {
		send()
	}
	s.works(w)
	testbed.Eventually(s.t, func() bool {
		return strings.Count(s.done(s.operator(), "offsets", "list", "--json"), `"lag":0,`) == 2
	}, "all is published, of both partitions")
	require.Contains(s.t, w.Get("/readyz"), `{"ready":true,"notes":["outbox: publish to `+write.name+`: TOPIC_AUTHORIZATION_FAILED`)
	require.Contains(s.t, w.Logged(),
		`msg="topic refuses every record; its records are left out until it takes one, and nothing else waits for them" part=relay destination=`+write.name)

	s.allow(write)
	again := `msg="topic takes records again" part=relay destination=` + write.name
	await(s.t, func() string { send(); return w.Logged() }, again)
	w.ready()
}
