package security

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// waits: a worker that runs says in readiness, log and metric who does not let it in and why, and
// goes on by itself when that is mended. An authority that is not known is seen where authorities
// are rotated.
func waits(s *site) {
	w := s.startWorker(s.worker())
	w.ready()
	s.works(w)
	for _, c := range []struct{ serves, says, reason string }{
		{expired, "certificate expired at", "expired_certificate"},
		{forOtherHost, "certificate is for another host name", "host_name"},
	} {
		s.lead(s.passwords, c.serves)
		w.lacks("kafka", c.says, c.reason)
		s.lead(s.passwords, withPasswords)
		w.ready()

		s.servePostgres(c.serves)
		s.endSessions("allocation_app")
		w.lacks("postgres", c.says, c.reason)
		s.servePostgres("good")
		w.ready()
	}
	s.works(w)
}

// lacks waits until the worker says so in readiness, log and metric.
func (w *worker) lacks(system, says, reason string) {
	w.t.Helper()
	await(w.t, func() string { return w.Get("/readyz") }, says)
	ready := w.Get("/readyz")
	require.Contains(w.t, ready, `"`+system+": ")
	require.Contains(w.t, ready, says)
	require.Regexp(w.t, `msg="access denied, retrying" system=`+system+`.* reason=`+reason+` error="`, w.Logged())
	require.Regexp(w.t, fmt.Sprintf(`allocation_access_refused_total{reason="%s",system="%s"} [1-9]`, reason, system), w.Get("/metrics"))
	require.True(w.t, w.Running())
}

// sendOrder sends a command, and returns the order that its event will tell of.
func (s *site) sendOrder() string {
	s.t.Helper()
	s.orders.Add(1)
	order := fmt.Sprintf("order-%d", s.orders.Load())
	s.send("CHAIR", fmt.Sprintf(`{"orderid":%q,"sku":"CHAIR","qty":1}`, order))
	return order
}

// sendMalformed sends what becomes a dead letter.
func (s *site) sendMalformed() { s.send("CHAIR", "{") }

func (s *site) send(key, value string) {
	s.t.Helper()
	command := &kgo.Record{
		Topic: "warehouse.commands", Key: []byte(key), Value: []byte(value),
		Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte("allocation.v1.Allocate")},
			{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")}, // so it has spans
		},
	}
	require.NoError(s.t, s.admin.ProduceSync(s.t.Context(), command).FirstErr())
}

// works sends a command and waits for its event.
func (s *site) works(w *worker) {
	s.t.Helper()
	order := s.sendOrder()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for {
		fetches := s.admin.PollFetches(ctx)
		require.NoError(s.t, ctx.Err(), "no event of %s; the worker says %s", order, w.Get("/readyz"))
		for _, r := range fetches.Records() {
			if strings.Contains(string(r.Value), `"`+order+`"`) {
				return
			}
		}
	}
}
