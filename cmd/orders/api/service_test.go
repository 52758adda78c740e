package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

// service is a database and topics of orders, on which processes of the program run.
type service struct {
	t                 *testing.T
	program           string
	brokers, database string
	commands          string
	variables         []string
	db                *pgxpool.Pool
}

// newService makes one without a worker.
func newService(t *testing.T, brokers string) *service {
	t.Helper()
	s := &service{t: t, brokers: brokers, database: testbed.Database(t)}
	var err error
	s.program, err = testbed.Build("allocation/cmd/orders")
	require.NoError(t, err)
	topic := func(name string) string { return strings.ReplaceAll(strings.ToLower(t.Name()), "/", "-") + "." + name }
	s.commands = topic("commands")
	s.variables = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "ORDERS_KAFKA_BROKERS=" + brokers, "ORDERS_DATABASE_URL=" + s.database,
		"ORDERS_KAFKA_GROUP_ID=" + s.commands, "ORDERS_COMMAND_TOPICS=" + s.commands, "ORDERS_EVENTS_TOPIC=" + topic("events"), "ORDERS_DEAD_LETTER_TOPIC=" + topic("dlq"),
		"ORDERS_OTHER_TOPICS=allocation.events=" + topic("facts") + ",warehouse.commands=" + topic("stock"), "ORDERS_LOG_FORMAT=text", "ORDERS_APPLIERS=2",
	}
	s.run("migrate", "up")
	s.run("topics", "create", "--partitions=3")
	for _, of := range []string{topic("facts"), topic("stock")} {
		_, err := testbed.Admin(t, brokers).CreateTopic(t.Context(), 1, 1, nil, of)
		require.NoError(t, err)
	}
	s.db, err = pgxpool.New(context.Background(), testbed.WithOptions(t, s.database, "search_path", "orders"))
	require.NoError(t, err)
	t.Cleanup(s.db.Close)
	return s
}

func (s *service) run(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.program, args...)
	cmd.Env = s.variables
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	return string(out)
}

func (s *service) startWorker() *testbed.Process {
	s.t.Helper()
	return testbed.StartPrefixedWorker(s.t, "ORDERS_", s.program, s.variables...)
}

// startAPI starts a process that answers, and gives where.
func (s *service) startAPI(flags ...string) *client {
	s.t.Helper()
	cmd := exec.Command(s.program, append([]string{"api", "--api-addr=127.0.0.1:0"}, flags...)...)
	cmd.Env = s.variables
	var log bytes.Buffer
	cmd.Stderr = &log
	said, out := io.Pipe()
	cmd.Stdout = out
	p, err := child.Start(cmd, syscall.SIGKILL)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		p.Kill()
		if s.t.Failed() {
			s.t.Log(log.String())
		}
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(s.t, err)
	_, url, _ := strings.Cut(line, "the API is at ")
	url, _, found := strings.Cut(url, "/v1/")
	require.True(s.t, found, line)
	return &client{s.t, url, newContract(s.t)}
}

// count is what a query with one number answers.
func (s *service) count(sql string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.db.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}

// records is how many commands were written.
func (s *service) records() (n int64) {
	s.t.Helper()
	ends, err := testbed.Admin(s.t, s.brokers).ListEndOffsets(s.t.Context(), s.commands)
	require.NoError(s.t, err)
	require.NoError(s.t, ends.Error())
	for _, partition := range ends[s.commands] {
		n += partition.Offset
	}
	return n
}

// repeatFirst writes one of the commands once more, as it is.
func (s *service) repeatFirst() {
	s.t.Helper()
	records := testbed.Reader(s.t, s.brokers, s.commands).PollFetches(s.t.Context()).Records()
	require.NotEmpty(s.t, records)
	first := records[0]
	again := &kgo.Record{Topic: s.commands, Key: first.Key, Value: first.Value, Headers: first.Headers}
	require.NoError(s.t, testbed.Client(s.t, s.brokers, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil))).ProduceSync(s.t.Context(), again).FirstErr())
}

// client asks one process, and holds each answer to the contract.
type client struct {
	t        *testing.T
	url      string
	contract *contract
}

// reply is what came.
type reply struct {
	status int
	header http.Header
	body   string
	JSON   map[string]any
}

func (r *reply) text(name string) string {
	text, _ := r.JSON[name].(string)
	return text
}

// ask sends a request. Names and values of headers follow the body.
func (c *client) ask(method, path, body string, headers ...string) *reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		switch name, value := headers[i], headers[i+1]; {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Add(name, value)
		}
	}
	answer, err := (&http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	got := &reply{status: answer.StatusCode, header: answer.Header, body: string(text)}
	if strings.Contains(answer.Header.Get("Content-Type"), "json") && method != http.MethodHead {
		require.NoError(c.t, json.Unmarshal(text, &got.JSON), got.body)
	}
	c.contract.check(c.t, method, path, got)
	return got
}

func (c *client) add(cart, sku string, headers ...string) *reply {
	c.t.Helper()
	return c.ask(http.MethodPost, "/v1/carts/"+cart+"/lines", `{"sku":"`+sku+`","qty":2}`, headers...)
}

func (c *client) place(cart string, headers ...string) *reply {
	c.t.Helper()
	return c.ask(http.MethodPost, "/v1/carts/"+cart+"/placement", "", headers...)
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }
