package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sasl"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{"500ms": 500 * time.Millisecond, "10s": 10 * time.Second, "7d": 7 * day, "36h": 36 * time.Hour} {
		p := NewProblems(nil, Vocabulary{})
		require.Equal(t, want, p.duration("some", value, 0, 30*day))
		require.NoError(t, p.Err())
	}
	for _, value := range []string{"", "7", "d", "-1d", "1.5d", "31d", "soon"} {
		p := NewProblems(nil, Vocabulary{})
		p.duration("some", value, time.Second, 30*day)
		require.ErrorContains(t, p.Err(), "a time from 1s to 30d", value)
	}
	for want, d := range map[string]time.Duration{"30m": 30 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute, "10s": 10 * time.Second, "3650d": 3650 * day} {
		require.Equal(t, want, shortDuration(d))
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	topics := Topics{
		Commands:    Commands{CommandTopics: "warehouse.commands, change_batch_quantity=ChangeBatchQuantity"},
		EventTopics: EventTopics{Events: Events{EventsTopic: "allocation.events"}, EventRoutes: "Allocated=line_allocated,Deallocated=line_allocated"},
		EventSource: "/allocation", DeadLetterTopic: "dlq",
	}
	p := NewProblems(nil, Vocabulary{Commands: []string{"ChangeBatchQuantity"}, Events: []string{"Allocated", "Deallocated"}})
	topics.Check(p)
	require.NoError(t, p.Err())
	require.Equal(t, map[string]string{"warehouse.commands": "", "change_batch_quantity": "ChangeBatchQuantity"}, topics.BareTypes())
	require.Equal(t, []string{"warehouse.commands", "change_batch_quantity"}, topics.CommandTopicNames())
	require.Equal(t, map[string]string{"Allocated": "line_allocated", "Deallocated": "line_allocated"}, topics.Routes())
	require.Equal(t, []string{"allocation.events", "line_allocated"}, topics.Outputs())
}

func TestTopics_theSourceIsAURIReference(t *testing.T) {
	t.Parallel()
	for source, ok := range map[string]bool{
		"/allocation": true, "urn:shop:1": true, "https://shop.example/a?b=%20#c": true,
		"": false, "a b": false, "%zz": false, "/shop\xff": false, "/shop\uFFFD": false, `a"<>b`: false, "/\n": false, "/" + strings.Repeat("a", 255): false,
	} {
		require.Equal(t, ok, validSource(source), source)
	}
}

func TestKafka_passwordIsReadAgain(t *testing.T) {
	t.Setenv("KAFKA_SASL_PASSWORD", "")
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, "old\n")
	k := Kafka{Brokers: "a:1", SecurityProtocol: protocolSASLPlaintext, SASLMechanism: mechanismPlain, SASLUsername: "me", SASLPasswordFile: file}
	p := NewProblems(nil, Vocabulary{})
	k.Check(p)
	require.NoError(t, p.Err())

	mechanism := k.mechanism()
	require.Equal(t, "\x00me\x00old", firstMessage(t, mechanism))
	write(t, file, "new")
	require.Equal(t, "\x00me\x00new", firstMessage(t, mechanism))
}

func firstMessage(t *testing.T, mechanism sasl.Mechanism) string {
	t.Helper()
	_, message, err := mechanism.Authenticate(t.Context(), "host")
	require.NoError(t, err)
	return string(message)
}

func TestKafka_onlyOneSourceOfThePassword(t *testing.T) {
	t.Setenv("KAFKA_SASL_PASSWORD", "hush")
	file := filepath.Join(t.TempDir(), "password")
	write(t, file, "hush")
	p := NewProblems(nil, Vocabulary{})
	Kafka{Brokers: "a:1", SecurityProtocol: protocolSASLSSL, SASLMechanism: mechanismSCRAM5, SASLUsername: "me", SASLPasswordFile: file}.Check(p)
	require.ErrorContains(t, p.Err(), "KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set")
	require.NotContains(t, p.Err().Error(), "hush")
}

func TestDatabase_urlIsReadAgain(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	file := filepath.Join(t.TempDir(), "url")
	write(t, file, "postgres://me:old@db/x")
	d := Database{URLFile: file}
	url, err := d.URL()
	require.NoError(t, err)
	pool, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	d.Refresh(pool)

	write(t, file, "postgres://you:new@db/x")
	conn := pool.ConnConfig.Copy()
	require.NoError(t, pool.BeforeConnect(t.Context(), conn))
	require.Equal(t, "you", conn.User)
	require.Equal(t, "new", conn.Password)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
}
