package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/event"
	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/domain"
	"allocation/store/products"
)

// service is a worker in this process, with topics and a database of its own. Tests with one set
// DATABASE_URL, so they are not parallel.
type Service struct {
	t     *testing.T
	names topicNames
	url   string // of health and metrics
	group string
	reset string // KAFKA_AUTO_OFFSET_RESET, where it is not the default
	stall string // STALL_TIMEOUT, where it is not the default
	hooks service.Hooks
	stop  func() error
	log   syncBuffer
}

// syncBuffer is what a worker logged, and is read while it logs.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func startService(t *testing.T) *Service {
	t.Helper()
	s := &Service{t: t, names: newTopicNames(t), group: "group-" + uuid.NewString()}
	s.setUp("3")
	return s
}

// setUp makes the database and the topics that are missing, and starts the worker.
func (s *Service) setUp(partitions string) {
	t := s.t
	t.Helper()
	t.Setenv("DATABASE_URL", testbed.Database(t))
	runProgram(t, "migrate", "up").requireDone(t)
	runProgram(t, append([]string{"topics", "create", "--partitions=" + partitions}, s.names.flags(t)...)...).requireDone(t)
	s.start()
}

func (s *Service) settings() service.Settings {
	p := config.NewProblems(nil, config.Vocabulary{Events: domain.EventNames()})
	settings := service.Settings{
		Name: "allocation", Service: products.Service, Hooks: s.hooks,
		Kafka: config.Kafka{Brokers: s.names.server(s.t), SecurityProtocol: "PLAINTEXT"},
		Topics: config.Topics{
			Commands: config.Commands{CommandTopics: s.names.commands}, Events: config.Events{EventsTopic: s.names.events},
			EventRoutes: "Allocated=" + s.names.route, EventSource: "/test", DeadLetterTopic: s.names.deadLetters,
		},
		Group:  config.Group{GroupID: s.group, SessionTimeout: "10s", AutoOffsetReset: cmp.Or(s.reset, "earliest")}.Check(p),
		Tuning: config.Tuning{MaxBatch: "100", OutboxRetention: "7d", ShutdownTimeout: "25s", StallTimeout: cmp.Or(s.stall, "30s")}.Check(p),
	}
	settings.Hooks.LookEvery = cmp.Or(s.hooks.LookEvery, 100*time.Millisecond)
	require.NoError(s.t, p.Err())
	return settings
}

func (s *Service) start() {
	s.t.Helper()
	s.launch()
	s.awaitReadyz(`200 {"ready":true`)
}

// launch starts the worker, and does not wait for it.
func (s *Service) launch() {
	s.t.Helper()
	listener, err := service.Listen(s.t.Context(), "127.0.0.1:0")
	require.NoError(s.t, err)
	s.url = "http://" + listener.Addr().String()
	w := service.New(s.settings(), config.Log{Level: "warn", Format: "text"}.Logger(io.MultiWriter(s.t.Output(), &s.log)))
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, listener) }()
	var result error
	stopped := false
	s.stop = func() error {
		if !stopped {
			stopped = true
			cancel(cli.ErrSignal)
			result = <-ended
		}
		return result
	}
	s.t.Cleanup(func() { require.NoError(s.t, s.stop()) })
}

// get answers "status body".
func (s *Service) get(path string) string {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+path, nil)
	require.NoError(s.t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}

func (s *Service) send(args ...string) {
	s.t.Helper()
	runProgram(s.t, append(append([]string{"send"}, args...), s.names.flags(s.t)[:2]...)...).requireDone(s.t)
}

// tail returns the first lines that `tail` prints.
func (s *Service) tail(lines int, args ...string) []string {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	out := &lineLimit{left: lines, full: cancel}
	var stderr bytes.Buffer
	p := program.New(strings.NewReader(""), out, &stderr, service.Hooks{})
	code := p.Run(ctx, append([]string{"tail", "--from-beginning", "--kafka-brokers=" + s.names.server(s.t), "--events-topic=" + s.names.events}, args...))
	require.Equal(s.t, cli.ExitDone, code, stderr.String())
	return slices.Collect(strings.SplitSeq(strings.TrimSpace(out.text.String()), "\n"))
}

// lineLimit calls full when it has been given so many lines.
type lineLimit struct {
	text strings.Builder
	left int
	full func()
}

func (l *lineLimit) Write(b []byte) (int, error) {
	l.text.Write(b)
	if l.left -= bytes.Count(b, []byte("\n")); l.left <= 0 {
		l.full()
	}
	return len(b), nil
}

func TestService_reallocates(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20", "--id=second")
	s.send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25", "revision=3")
	s.send("Allocate", "orderid=o3", "sku=CHAIR", "qty=1000000", "lineid=l1")
	s.send("Dispatch", "orderid=o1", "sku=CHAIR")
	s.send("Deallocate", "orderid=o3", "sku=CHAIR", "lineid=l1")
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=7")

	require.Equal(t, []string{
		"CHAIR         1  BatchCreated          batch b1 of 50, in the warehouse",
		"CHAIR         2  BatchCreated          batch b2 of 50, due 2030-01-01",
		"CHAIR         3  Allocated             order o1 gets 20 of batch b1",
		"CHAIR         4  Allocated             order o2 gets 20 of batch b1",
		"CHAIR         5  BatchQuantityChanged  batch b1 has 25 now (revision 3)",
		"CHAIR         6  Deallocated           order o2 gives 20 back to batch b1: batch reduced",
		"CHAIR         7  Allocated             order o2 gets 20 of batch b2",
		"CHAIR         8  OutOfStock            order o3 line l1 waits for 1000000",
		"CHAIR         9  Dispatched            order o1 left with 20 of batch b1",
		"CHAIR        10  Deallocated           order o3 line l1 no longer waits for 1000000: cancelled",
		"CHAIR            AllocationRejected    order o1 over 7 rejected: line_conflict",
	}, withoutTimes(s.tail(11)))
	require.Len(t, s.tail(3, "--order=o2"), 3)
	require.Contains(t, s.tail(1, "--type=OutOfStock", "--sku=CHAIR")[0], "order o3")

	var e event.Event
	require.NoError(t, json.Unmarshal([]byte(s.tail(1, "--json", "--type=Deallocated")[0]), &e))
	require.Equal(t, "allocation.v1.Deallocated", e.Type)
	require.Equal(t, "0000000000000000006", e.Sequence)
	require.JSONEq(t, `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`, string(e.Data))

	requireGolden(t, "show-order.txt", withoutTimes(strings.Split(runProgram(t, "show", "order", "o2").requireDone(t), "\n")))
	requireGolden(t, "show-product.txt", strings.Split(runProgram(t, "show", "product", "CHAIR").requireDone(t), "\n"))
	requireGolden(t, "show-batch.txt", strings.Split(runProgram(t, "show", "batch", "b2").requireDone(t), "\n"))

	o := runProgram(t, "show", "order", "nobody")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, `there is no order "nobody"`)
}

var timeAndIDs = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z  |[0-9a-f]{8}-[0-9a-f-]{27}`)

func withoutTimes(lines []string) []string {
	for i := range lines {
		lines[i] = timeAndIDs.ReplaceAllString(lines[i], "")
	}
	return lines
}

// requireGolden compares with a file of testdata, which UPDATE_GOLDEN=1 writes.
func requireGolden(t *testing.T, name string, lines []string) {
	t.Helper()
	got := strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestService_healthAndMetrics(t *testing.T) {
	s := startService(t)
	require.Equal(t, "200 ok\n", s.get("/livez"))
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("Allocate", "orderid=o1", "sku=NONE", "qty=1")
	s.tail(2)

	var names []string
	for line := range strings.SplitSeq(s.get("/metrics"), "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok && strings.HasPrefix(name, "allocation_") {
			names = append(names, name)
		}
	}
	requireGolden(t, "metrics.txt", names)
	require.Regexp(t, `allocation_build_info\{goversion="go[^"]+",version="[^"]+"\} 1`, s.get("/metrics"))

	require.NoError(t, s.stop())
	require.Contains(t, s.get("/livez"), "refused")
}

func TestService_refusesAnotherGroup(t *testing.T) {
	s := startService(t)
	require.NoError(t, s.stop())
	o := s.runWorker("--kafka-group-id=another")
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "the database belongs to Kafka cluster")
	require.Contains(t, o.err, "group "+s.group)
	require.Contains(t, o.err, "group another")
}

func TestWorker_refusesAnOldSchema(t *testing.T) {
	t.Setenv("DATABASE_URL", testbed.Database(t))
	s := &Service{t: t, names: newTopicNames(t), group: "group"}
	o := s.runWorker()
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, "run `allocation migrate up`")
}

func TestWorker_refusesMissingTopics(t *testing.T) {
	t.Setenv("DATABASE_URL", testbed.Database(t))
	runProgram(t, "migrate", "up").requireDone(t)
	s := &Service{t: t, names: newTopicNames(t), group: "group"}
	o := s.runWorker()
	require.Equal(t, cli.ExitFailed, o.code)
	require.Contains(t, o.err, s.names.commands)
	require.Contains(t, o.err, "run `allocation topics create`")
}

func TestWorker_waitsForItsServers(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
	s := &Service{t: t, names: newTopicNames(t), group: "group"}
	listener, err := service.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + listener.Addr().String()
	w := service.New(s.settings(), config.Log{Level: "error", Format: "text"}.Logger(io.Discard))
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx, listener) }()
	require.Eventually(t, func() bool {
		answer := s.get("/readyz")
		return strings.HasPrefix(answer, "503") && strings.Contains(answer, "postgres") && strings.Contains(answer, "refused")
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, "200 ok\n", s.get("/livez"))
	cancel(cli.ErrSignal)
	require.NoError(t, <-ended)
}

func (s *Service) runWorker(more ...string) outcome {
	s.t.Helper()
	return refuseWorker(s.t, append(s.names.flags(s.t), more...)...)
}
