package security

import (
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// routed is a topic of EVENT_ROUTES.
const routed = "allocation.routed"

// leavesOut: a worker that may write to the topic of all events, and neither to the one of dead
// letters nor to one of a route, goes on without what belongs there. All of it is elsewhere.
func leavesOut(s *site) {
	s.makeTopic(routed)
	route := rule{"User:allocation-worker", "Write", "topic", routed}
	s.allow(route)
	routes := "Allocated=" + routed + ",OutOfStock=" + routed + ",AllocationRejected=" + routed
	w := s.startWorker(s.worker().with("EVENT_ROUTES=" + routes))
	w.ready(waitLimit)
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
	await(s.t, waitLimit, func() string { return w.get("/metrics") }, skipped)
	for range 5 {
		send()
	}
	s.works(w)
	await(s.t, waitLimit, s.lags, `[0,0]`)
	require.Contains(s.t, w.get("/readyz"), `{"ready":true,"notes":["outbox: publish to `+write.name+`: TOPIC_AUTHORIZATION_FAILED`)
	require.Contains(s.t, w.logged(),
		`msg="topic refuses every record; its records are left out until it takes one, and nothing else waits for them" part=relay topic=`+write.name)

	s.allow(write)
	again := `msg="topic takes records again" part=relay topic=` + write.name
	await(s.t, waitLimit, func() string { send(); return w.logged() }, again)
	w.ready(waitLimit)
}

func (s *site) makeTopic(name string) {
	s.t.Helper()
	request, topic := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(s.t.Context(), s.admin)
	require.NoError(s.t, err)
	require.Zero(s.t, answer.Topics[0].ErrorCode)
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
