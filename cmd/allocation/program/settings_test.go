package program_test

import (
	"os"
	"path/filepath"
	"testing"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"

	"github.com/stretchr/testify/require"
)

func TestWorker_reportsEveryMistakeTogether(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://me:hush@[broken/x")
	t.Setenv("KAFKA_SASL_PASSWORD", "hush")
	t.Setenv("MAX_BATCH", "many")
	o := programtest.Run(t, "worker",
		"--kafka-brokers=kafka", "--kafka-security-protocol=SASL_SSL", "--kafka-sasl-mechanism=MD5", "--kafka-tls-ca-file=/none/ca.pem",
		"--kafka-tls-cert-file=/none/cert.pem", "--kafka-session-timeout=soon", "--kafka-auto-offset-reset=middle", "--kafka-group-id=",
		"--command-topics=a b,c=Frob,d,d", "--events-topic=d", "--event-routes=Frob=x,Allocated=d", "--event-source=", "--dead-letter-topic=..",
		"--appliers=0", "--catch-up-time=1d", "--outbox-retention=7 days", "--shutdown-timeout=0s", "--stall-timeout=-1s", "--log-level=loud", "--log-format=xml",
		"--http-addr=8080", "--database-schema=")
	require.Equal(t, cli.ExitUsage, o.Code)
	for _, says := range []string{
		`28 settings are wrong`,
		`--kafka-brokers (KAFKA_BROKERS) is "kafka"; it must be addresses such as`,
		`--kafka-sasl-mechanism (KAFKA_SASL_MECHANISM) is "MD5"; it must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512`,
		`--kafka-sasl-username (KAFKA_SASL_USERNAME) is not set`,
		`--kafka-tls-ca-file (KAFKA_TLS_CA_FILE) is "/none/ca.pem"; it must be a file that can be read: no such file or directory`,
		`--kafka-tls-cert-file (KAFKA_TLS_CERT_FILE) is "/none/cert.pem"`,
		`--kafka-tls-key-file (KAFKA_TLS_KEY_FILE) is not set; it must be given together with --kafka-tls-cert-file`,
		`--kafka-session-timeout (KAFKA_SESSION_TIMEOUT) is "soon"; it must be a time from 1s to 30m`,
		`--kafka-auto-offset-reset (KAFKA_AUTO_OFFSET_RESET) is "middle"; it must be one of earliest, latest`,
		`--kafka-group-id (KAFKA_GROUP_ID) is not set`,
		`DATABASE_URL (not shown, it may hold a password) cannot be read`,
		`--command-topics (COMMAND_TOPICS) is "a b"`,
		`--command-topics (COMMAND_TOPICS) is "c=Frob"; it must be TOPIC=TYPE with a type of CreateBatch, `,
		`--command-topics (COMMAND_TOPICS) is "d"; it must be a topic that is not there twice`,
		`--events-topic (EVENTS_TOPIC) is "d"; it must be a topic that is not used for anything else`,
		`--event-routes (EVENT_ROUTES) is "Frob=x"; it must be TYPE=TOPIC with a type of BatchCreated, `,
		`--event-routes (EVENT_ROUTES) is "Allocated=d"; it must be a topic that is not used for anything else`,
		`--event-source (EVENT_SOURCE) is not set`,
		`--dead-letter-topic (DEAD_LETTER_TOPIC) is ".."`,
		`--appliers (APPLIERS) is "0"; it must be an integer from 1 to 256`,
		`--max-batch (MAX_BATCH) is "many"`,
		`--catch-up-time (CATCH_UP_TIME) is "1d"; it must be a time from 0s to 1h`,
		`--outbox-retention (OUTBOX_RETENTION) is "7 days"; it must be a time from 1h to 3650d`,
		`--shutdown-timeout (SHUTDOWN_TIMEOUT) is "0s"`,
		`--stall-timeout (STALL_TIMEOUT) is "-1s"`,
		`--log-level (LOG_LEVEL) is "loud"; it must be one of debug, info, warn, error`,
		`--log-format (LOG_FORMAT) is "xml"; it must be one of json, text`,
		`--database-schema (DATABASE_SCHEMA) is not set; it must be a name of 1 to 40 characters`,
		`--http-addr (HTTP_ADDR) is "8080"; it must be an address such as`,
	} {
		require.Contains(t, o.Err, says)
	}
	require.NotContains(t, o.Err, "hush")
}

func TestWorker_needsADatabase(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	programtest.Run(t, "worker").RequireMisuse(t, "DATABASE_URL is not set")
}

func TestDatabase_urlFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	require.NoError(t, os.WriteFile(file, []byte("postgres://me:hush@127.0.0.1:1/x\n"), 0o600))

	t.Setenv("DATABASE_URL", "")
	o := programtest.Run(t, "show", "order", "o1", "--database-url-file", file)
	require.Contains(t, o.Err, "Postgres does not answer at 127.0.0.1:1")

	t.Setenv("DATABASE_URL", "postgres://other/x")
	programtest.Run(t, "show", "order", "o1", "--database-url-file", file).RequireMisuse(t, "DATABASE_URL and DATABASE_URL_FILE are both set")
}
