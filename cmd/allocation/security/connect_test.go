package security

import (
	"net/url"

	"github.com/stretchr/testify/require"
)

// letsIn: each mechanism does, and the commands work with just the rights that SECURITY.md lists.
func letsIn(s *site) {
	s.done(s.user("allocation-owner"), "topics", "create", "--partitions=2")
	w := s.startWorker(s.worker())
	for i, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		s.done(s.user("allocation-producer").with("KAFKA_SASL_MECHANISM="+mechanism), "send", "CreateBatch", "ref=b"+mechanism, "sku=CHAIR", "qty="+string(rune('1'+i)))
	}
	s.done(s.certified("allocation-producer"), "send", "Allocate", "orderid=o1", "sku=CHAIR", "qty=1")
	s.done(s.user("allocation-producer"), "send", "Allocate", "orderid=o1", "sku=NONE", "qty=1")
	s.done(s.user("allocation-producer"), "send", "Allocate", "orderid=waits", "sku=CHAIR", "qty=9")
	w.ready()
	require.Contains(s.t, s.tail(s.user("allocation-consumer"), 6), "unknown_sku")
	w.stop()

	w = s.startWorker(s.certified("allocation-worker").with("DATABASE_URL=" + s.withCertificate()))
	w.ready()
	require.Contains(s.t, s.done(s.database("allocation_ops"), "show", "product", "CHAIR"), "bPLAIN")
	require.Contains(s.t, s.done(s.database("allocation_ops"), "explain", "order", "o1"), "order o1 gets 1 of batch bPLAIN")
}

// withCertificate is the URL of who needs no password.
func (s *site) withCertificate() string {
	cert, key := s.identity("with_certificate", s.known.issue("with_certificate", soon()))
	u, err := url.Parse(s.databaseURL("with_certificate", "sslcert", cert, "sslkey", key))
	require.NoError(s.t, err)
	u.User = url.User("with_certificate")
	return u.String()
}
