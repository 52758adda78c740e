package security

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/proxy"
)

// site is the servers, and what a user of them is told.
type site struct {
	t        *testing.T
	program  string
	dir      string // of certificates
	outputs  *outputs
	document string // SECURITY.md
	orders   *atomic.Int32

	known    *authority // that clients are told to trust
	stranger *authority // that they are not

	kafka     *testbed.SecuredKafka
	admin     *kgo.Client  // may do everything
	passwords *proxy.Proxy // to the listener for users with passwords
	mutual    *proxy.Proxy // to the listener for clients with certificates

	postgres *testbed.PostgresServer
	serving  string // the name of the certificate of Postgres
}

func newSite(t *testing.T) *site {
	t.Helper()
	document, err := os.ReadFile("../../../SECURITY.md")
	require.NoError(t, err)
	program, err := testbed.Build("allocation/cmd/allocation")
	require.NoError(t, err)
	s := &site{
		t: t, program: program, dir: t.TempDir(), outputs: &outputs{}, orders: &atomic.Int32{}, document: string(document),
		known: newAuthority(t, "known"), stranger: newAuthority(t, "stranger"),
	}
	s.file("ca.pem", s.known.pem())
	s.file("stranger.pem", s.stranger.pem())
	s.startPostgres()
	s.startKafka()
	return s
}

// in is the site for a test within the test.
func (s *site) in(t *testing.T) *site {
	within := *s
	within.t = t
	return &within
}

// file writes a file, or writes it anew, and returns its path.
func (s *site) file(name string, content ...string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(path, []byte(strings.Join(content, "")), 0o600))
	return path
}

// identity writes a certificate and its key for a client.
func (s *site) identity(name string, id identity) (certFile, keyFile string) {
	s.t.Helper()
	return s.file(name+".crt", id.cert), s.file(name+".key", id.key)
}

func soon() time.Time { return time.Now().Add(time.Hour) }
func past() time.Time { return time.Now().Add(-time.Minute) }

// plainEnvironment has nothing of this process' own variables that configures the program.
func (s *site) plainEnvironment() environment {
	return environment{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "KAFKA_SESSION_TIMEOUT=3s", "LOG_FORMAT=text", "APPLIERS=1",
	}
}

// user is how somebody reaches Kafka with a password.
func (s *site) user(name string) environment {
	return environment{
		"KAFKA_BROKERS=" + s.passwords.Addr(), "KAFKA_SECURITY_PROTOCOL=SASL_SSL", "KAFKA_TLS_CA_FILE=" + filepath.Join(s.dir, "ca.pem"),
		"KAFKA_SASL_MECHANISM=SCRAM-SHA-512", "KAFKA_SASL_USERNAME=" + name, "KAFKA_SASL_PASSWORD=" + passwordOf(name),
	}
}

// certified is how somebody reaches Kafka with a certificate.
func (s *site) certified(name string) environment {
	cert, key := s.identity(name, s.known.issue(name, soon()))
	return environment{
		"KAFKA_BROKERS=" + s.mutual.Addr(), "KAFKA_SECURITY_PROTOCOL=SSL", "KAFKA_TLS_CA_FILE=" + filepath.Join(s.dir, "ca.pem"),
		"KAFKA_TLS_CERT_FILE=" + cert, "KAFKA_TLS_KEY_FILE=" + key,
	}
}

// database is how somebody reaches Postgres.
func (s *site) database(user string) environment {
	return environment{"DATABASE_URL=" + s.databaseURL(user)}
}

func (s *site) databaseURL(user string, more ...string) string {
	s.t.Helper()
	u, err := url.Parse(s.postgres.URL())
	require.NoError(s.t, err)
	u.User, u.Path = url.UserPassword(user, passwordOf(user)), "/allocation"
	q := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {filepath.Join(s.dir, "ca.pem")}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (s *site) databaseURLWith(password string) string {
	return strings.Replace(s.databaseURL("allocation_app"), passwordOf("allocation_app"), password, 1)
}

// passwordOf is what nobody may see.
func passwordOf(user string) string { return "hush-" + user }

// worker is how a worker reaches both.
func (s *site) worker() environment {
	return s.user("allocation-worker").with(s.database("allocation_app")...)
}

// operator is how an operator reaches both.
func (s *site) operator() environment {
	return s.user("allocation-operator").with(s.database("allocation_ops")...)
}

// plainClient is somebody who may do everything, and reads events.
func (s *site) plainClient() *kgo.Client {
	s.t.Helper()
	return testbed.Client(s.t, s.kafka.Brokers(), kgo.MetadataMaxAge(time.Second),
		kgo.ConsumeTopics("allocation.events"), kgo.UnknownTopicRetries(-1), kgo.FetchMaxWait(100*time.Millisecond))
}
