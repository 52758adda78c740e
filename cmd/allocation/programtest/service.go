package programtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/domain/product"
	"allocation/store"
	"allocation/store/products"
)

// Service is a worker in this process, with topics and a database of its own.
type Service struct {
	T     *testing.T
	Names Names
	URL   string // of health and metrics
	Group string
	Reset string // KAFKA_AUTO_OFFSET_RESET, where it is not the default
	Stall string // STALL_TIMEOUT, where it is not the default
	Wait  string // WAIT_FOR_NEWER_WORKER, where it is not the default
	Hooks service.Hooks
	Of    *store.Service // nil: products
	Takes []config.Other // as in config.Others
	Sends []config.Other
	Stop  func() error
	Log   SyncBuffer
}

// SyncBuffer is what a worker logged, and is read while it logs.
type SyncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *SyncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *SyncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// StartService starts a worker that ends with the test.
func StartService(t *testing.T) *Service {
	t.Helper()
	s := NewService(t)
	s.SetUp("3")
	return s
}

// NewService is a worker that is not set up yet.
func NewService(t *testing.T) *Service {
	t.Helper()
	return &Service{T: t, Names: NewNames(t), Group: "group-" + uuid.NewString()}
}

// SetUp makes the database and the topics that are missing, and starts the worker.
func (s *Service) SetUp(partitions string) {
	t := s.T
	t.Helper()
	NewMigratedDatabase(t)
	s.Names.Create(t, "--partitions="+partitions).RequireDone(t)
	s.Start()
}

// Settings are the settings of the worker.
func (s *Service) Settings() service.Settings {
	p := config.NewProblems(nil, config.Vocabulary{Events: product.EventNames()})
	settings := service.Settings{
		Name: "allocation", Service: products.Service, Hooks: s.Hooks,
		Kafka:    config.Kafka{Brokers: s.Names.Server(s.T), SecurityProtocol: "PLAINTEXT"},
		Database: config.Database{URLFile: databaseOf(s.T)},
		Topics: config.Topics{
			Commands:    config.Commands{CommandTopics: s.Names.Commands},
			EventTopics: config.EventTopics{Events: config.Events{EventsTopic: s.Names.Events}, EventRoutes: "Allocated=" + s.Names.Route},
			EventSource: "/test", DeadLetterTopic: s.Names.DeadLetters,
			Others: config.Others{Takes: s.Takes, Sends: s.Sends},
		},
		Group:  config.Group{GroupID: s.Group, SessionTimeout: "10s", AutoOffsetReset: cmp.Or(s.Reset, "earliest")}.Check(p),
		Tuning: config.Tuning{MaxBatch: "100", CatchUpTime: "0s", OutboxRetention: "7d", ShutdownTimeout: "25s", StallTimeout: cmp.Or(s.Stall, "30s"), WaitForNewer: cmp.Or(s.Wait, "0s")}.Check(p),
	}
	if s.Of != nil {
		settings.Service = *s.Of
	}
	settings.Hooks.LookEvery = cmp.Or(s.Hooks.LookEvery, 100*time.Millisecond)
	require.NoError(s.T, p.Err())
	return settings
}

// DatabaseURL is where the worker's database is.
func (s *Service) DatabaseURL() string {
	s.T.Helper()
	url, err := s.Settings().Database.URL()
	require.NoError(s.T, err)
	return url
}

// Start starts the worker, and returns when it is ready.
func (s *Service) Start() {
	s.T.Helper()
	s.Launch()
	s.AwaitReadyz(`200 {"ready":true`)
}

// Launch starts the worker, and does not wait for it.
func (s *Service) Launch() {
	s.T.Helper()
	listener, err := service.Listen(s.T.Context(), "127.0.0.1:0")
	require.NoError(s.T, err)
	s.URL = "http://" + listener.Addr().String()
	w := service.New(s.Settings(), config.Log{Level: "warn", Format: "text"}.Logger(io.MultiWriter(s.T.Output(), &s.Log)))
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, listener) }()
	var result error
	stopped := false
	s.Stop = func() error {
		if !stopped {
			stopped = true
			cancel(cli.ErrSignal)
			result = <-ended
		}
		return result
	}
	s.T.Cleanup(func() { require.NoError(s.T, s.Stop()) })
}

// Get answers "status body".
func (s *Service) Get(path string) string {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+path, nil)
	require.NoError(s.T, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(s.T, err)
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}

// Send sends a command.
func (s *Service) Send(args ...string) {
	s.T.Helper()
	Run(s.T, append(append([]string{"send"}, args...), s.Names.Flags(s.T)[:2]...)...).RequireDone(s.T)
}

// Tail returns the first lines that `tail` prints.
func (s *Service) Tail(lines int, args ...string) []string {
	s.T.Helper()
	ctx, cancel := context.WithCancel(s.T.Context())
	defer cancel()
	out := &lineLimit{left: lines, full: cancel}
	var stderr bytes.Buffer
	p := program.New(strings.NewReader(""), out, &stderr, service.Hooks{})
	code := p.Run(ctx, append([]string{"tail", "--from-beginning", "--kafka-brokers=" + s.Names.Server(s.T), "--events-topic=" + s.Names.Events}, args...))
	require.Equal(s.T, cli.ExitDone, code, stderr.String())
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

// RunWorker runs the worker, which must not start.
func (s *Service) RunWorker(more ...string) Outcome {
	s.T.Helper()
	return RefuseWorker(s.T, append(s.Names.Flags(s.T), more...)...)
}

// AwaitReadyz waits until the answer begins so, and says all of this.
func (s *Service) AwaitReadyz(status string, says ...string) {
	s.T.Helper()
	answer := ""
	defer func() { s.T.Log(answer) }()
	testbed.Eventually(s.T, func() bool {
		answer = s.Get("/readyz")
		for _, text := range says {
			if !strings.Contains(answer, text) {
				return false
			}
		}
		return strings.HasPrefix(answer, status)
	}, "%s %v", status, says)
}

var timeAndIDs = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z  |[0-9a-f]{8}-[0-9a-f-]{27}`)

// WithoutTimes leaves times and ids out of what tail and show print.
func WithoutTimes(lines []string) []string {
	for i := range lines {
		lines[i] = timeAndIDs.ReplaceAllString(lines[i], "")
	}
	return lines
}
