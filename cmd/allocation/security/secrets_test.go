package security

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
)

// secret begins every password here, and nothing else does.
const secret = "hush"

// keepsSecrets: a worker that tells all it can tells no secret, whether its servers are good or
// bad, nor did any program of the tests before.
func keepsSecrets(s *site) {
	open := environment{"LOG_LEVEL=debug", "OTEL_TRACES_EXPORTER=console"}
	for _, env := range []environment{s.worker(), s.worker().with("KAFKA_SASL_MECHANISM=PLAIN")} {
		s.tellsNothing(env.with(open...))
	}
	for _, wrong := range []string{
		"KAFKA_SASL_PASSWORD=" + secret + "-wrong", "DATABASE_URL=" + s.databaseURLWith(secret+"-wrong"),
		"DATABASE_URL=postgres://allocation_app:" + secret + "@[127.0.0.1/allocation", "DATABASE_URL=postgres://allocation_app:" + secret + "%ZZ@127.0.0.1/allocation",
		"DATABASE_URL=host=127.0.0.1 password=" + secret + " sslmode=never", "DATABASE_URL=" + secret,
		"DATABASE_URL=" + s.databaseURL("allocation_app", "sslrootcert", "/none/ca.pem"),
	} {
		o := s.run(s.worker().with(open...).with(wrong), "worker", "--http-addr=127.0.0.1:0")
		require.NotZero(s.t, o.Code)
		s.run(s.worker().with(open...).with(wrong), "show", "order", "o1")
	}
	s.noSecretIn(s.outputs.text.String(), "the output of all programs")
}

// tellsNothing looks at a worker from all sides, while it works and while neither of its servers
// lets it in.
func (s *site) tellsNothing(env environment) {
	s.t.Helper()
	w := s.startWorker(env)
	w.ready()
	s.works(w)
	s.noSecretIn(w.shown(), "a worker")
	s.lead(s.passwords, ofStranger)
	s.administer("postgres", "alter role allocation_app password 'hush-newer'")
	s.endSessions("allocation_app")
	w.lacks("kafka", "authority", "unknown_authority")
	w.lacks("postgres", "password", "password")
	s.noSecretIn(w.shown(), "a worker that is not let in")
	s.administer("postgres", "alter role allocation_app password '"+passwordOf("allocation_app")+"'")
	s.lead(s.passwords, withPasswords)
	w.ready()
	w.stop()
	require.Contains(s.t, w.Logged(), `"SpanContext"`, "traces are told too")
	s.noSecretIn(w.Logged(), "a worker's log and traces")
}

// shown is what others of the machine see of a worker.
func (w *worker) shown() string {
	arguments, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(w.PID()), "cmdline"))
	require.NoError(w.t, err)
	return w.Get("/metrics") + w.Get("/readyz") + w.Get("/livez") + w.Logged() + string(arguments)
}

func (s *site) noSecretIn(text, where string) {
	s.t.Helper()
	require.NotEmpty(s.t, text)
	for _, needle := range []string{secret, "PRIVATE KEY"} {
		if at := strings.Index(text, needle); at >= 0 {
			s.t.Errorf("%s holds a secret: %s", where, text[max(0, at-300):min(len(text), at+100)])
		}
	}
}
