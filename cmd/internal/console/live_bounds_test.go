package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/web"
	"allocation/deploy/testbed"
)

// blockedWriter takes nothing until it is let go.
type blockedWriter struct {
	*httptest.ResponseRecorder
	mu      sync.Mutex
	writes  int
	blocked chan struct{} // closed by the second write, which stands still
	letGo   chan struct{}
	third   chan struct{} // closed by the write after that
}

func (w *blockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.writes++
	n := w.writes
	w.mu.Unlock()
	switch n {
	case 2:
		close(w.blocked)
		<-w.letGo
	case 3:
		close(w.third)
	}
	return w.ResponseRecorder.Write(b)
}

func TestLive_dropsASlowReaderAndTellsIt(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"a program": "/api/v1/events", "a browser": "/events/stream"} {
		t.Run(name, func(t *testing.T) {
			f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.live.liveLimits.events, c.live.pace = 10, time.Nanosecond })
			fast := f.follow("/api/v1/events", "")
			fast.well()
			w := &blockedWriter{ResponseRecorder: httptest.NewRecorder(), blocked: make(chan struct{}), letGo: make(chan struct{}), third: make(chan struct{})}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
			request.Header.Set("Accept", eventStream)
			var answering sync.WaitGroup
			answering.Go(func() { f.ServeHTTP(w, request) })
			// The reader has joined when it has written what it begins with.
			testbed.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.writes == 1 })
			f.event("k", "Added")
			fast.read()
			<-w.blocked
			for range 30 {
				f.event("k", "Added")
				fast.read() // others are not held up
			}
			close(w.letGo)
			<-w.third
			f.stop() // ends it, were it not dropped
			answering.Wait()
			text := w.Body.String()
			require.Contains(t, text[strings.LastIndex(text, "id: "):], "This reader was too slow: 20 events were left out.")
		})
	}
}

// The server's limits for an answer and for a request do not end a stream.
func TestLive_outlivesTheServersLimits(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	f := newFollowing(t, 1, func(c *Console, server *http.Server) {
		c.live.heartbeat = 2 * limit
		server.ReadTimeout, server.WriteTimeout = limit, limit
	})
	s := f.follow("/api/v1/events", "")
	s.well()
	for beats := 0; beats < 2; {
		line, err := s.lines.ReadString('\n')
		require.NoError(t, err)
		if line == ":\n" {
			beats++
		}
	}
	f.event("k", "Added")
	require.Equal(t, 1, s.read().n(t))
}

// A client that reads nothing is ended, and its place is free.
func TestLive_endsWhoReadsNothing(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.live.liveLimits.write = 100 * time.Millisecond })
	conn, err := net.Dial("tcp", f.server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
	testbed.Eventually(t, func() bool { return len(f.streaming) == 1 })
	f.client = testbed.Client(t, f.brokers)
	large := record(f.topic, "k", "Added", strconv.Quote(strings.Repeat("x", 500_000)))
	testbed.Eventually(t, func() bool {
		require.NoError(t, f.client.ProduceSync(t.Context(), &kgo.Record{Topic: large.Topic, Key: large.Key, Value: large.Value, Headers: large.Headers}).FirstErr())
		return len(f.streaming) == 0
	})
}

func TestLive_endsWithTheConsole(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, nil)
	program, browser := f.follow("/api/v1/events", ""), f.follow("/events/stream", "")
	program.well()
	browser.read()
	f.stop()
	for _, s := range []*stream{program, browser} {
		_, err := s.next()
		require.ErrorIs(t, err, io.EOF)
	}
	require.NoError(t, f.server.Config.Shutdown(t.Context()))
	f.Close()
}

func TestLive_refusesMoreStreamsThanItTakes(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.streaming = make(chan struct{}, 1) })
	s := f.follow("/api/v1/events", "")
	s.well()
	status, body := f.get("/events/stream")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, `<p class="notice bad">`)
	require.NotContains(t, body, "<html")
	f.page("/events") // pages are served all the same
	s.close()
	testbed.Eventually(t, func() bool { return len(f.streaming) == 0 })
	f.follow("/api/v1/events", "").well()
}

func TestLive_masksContent(t *testing.T) {
	t.Parallel()
	for _, payloads := range []Payloads{PayloadsMasked, PayloadsNone} {
		f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.Payloads = payloads })
		program, browser := f.follow("/api/v1/events", ""), f.follow("/events/stream", "")
		program.well()
		browser.read()
		require.NoError(t, testbed.Client(t, f.brokers).ProduceSync(t.Context(), record(f.topic, "k", "Added", `{"name":"Secret7"}`)).FirstErr())
		texts := []string{program.read().data, browser.read().data, f.page("/events"), f.page("/api/v1/events")}
		for _, text := range texts {
			require.NotContains(t, text, "Secret7")
			require.Contains(t, text, "about-k")
		}
		if payloads == PayloadsMasked {
			require.Contains(t, texts[1], "xxxxxx0")
			require.True(t, json.Valid(bytes.TrimSpace([]byte(texts[0]))))
		}
	}
}

// A topic that is made later is read from its start, and what is wrong until then is said.
func TestLive_waitsForItsTopic(t *testing.T) {
	t.Parallel()
	brokers := testbed.Kafka(t)
	admin, topic := testbed.Admin(t, brokers), "later-"+strings.ToLower(t.Name())+strconv.FormatInt(time.Now().UnixNano(), 36)
	f := newFollows(t, brokers, topic, nil)
	require.Contains(t, f.page("/events"), "does not exist")
	s := f.follow("/api/v1/events", "")
	require.Contains(t, s.began().Problem, "does not exist")
	createTopic(t, admin, topic, 1)
	f.client = testbed.Client(t, brokers, kgo.UnknownTopicRetries(-1)) // it may take a while until it can be written
	f.event("k", "Added")
	s.well()
	require.Equal(t, 1, s.read().n(t))

	// A partition that is added is read from its start, too.
	_, err := admin.CreatePartitions(t.Context(), 1, topic)
	require.NoError(t, err)
	f.client = testbed.Client(t, brokers, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	testbed.Eventually(t, func() bool {
		r := record(topic, "k", "Added", `{"n":2}`)
		r.Partition = 1
		return f.client.ProduceSync(t.Context(), r).FirstErr() == nil
	})
	require.Equal(t, 2, s.read().n(t))
}

func createTopic(t *testing.T, admin *kadm.Client, topic string, partitions int32) {
	t.Helper()
	_, err := admin.CreateTopic(t.Context(), partitions, -1, nil, topic)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = admin.DeleteTopic(context.Background(), topic) })
}

// While Kafka is away the page says so; afterwards nothing is missing.
func TestLive_goesOnWhenKafkaIsBack(t *testing.T) {
	t.Parallel()
	kafka := testbed.StartKafka(t)
	topic := "events"
	createTopic(t, testbed.Admin(t, kafka.Brokers()), topic, 1)
	f := newFollows(t, kafka.Brokers(), topic, nil)
	s := f.follow("/api/v1/events", "")
	s.well()
	f.event("k", "Added")
	require.Equal(t, 1, s.read().n(t))
	kafka.Stop()
	require.Contains(t, s.began().Problem, "Kafka")
	require.Contains(t, f.page("/events"), "Events cannot be read now")
	kafka.Start()
	f.event("k", "Added")
	s.well()
	require.Equal(t, 2, s.read().n(t))
}

// The consumer ends when nobody reads, and what comes then is not kept.
func TestLive_restsWithoutReaders(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.live.keep = time.Millisecond })
	require.Empty(t, f.live.run, "nothing is read before anybody asks")
	s := f.follow("/api/v1/events", "")
	s.well()
	s.close()
	testbed.Eventually(t, func() bool { f.live.mu.Lock(); defer f.live.mu.Unlock(); return f.live.run == "" })
	f.live.running.Wait()
	s = f.follow("/api/v1/events", s.last)
	require.Equal(t, notKept, s.began().LeftOut)
}

// What is kept is bounded by its bytes, too.
func TestLive_boundsBytes(t *testing.T) {
	t.Parallel()
	l := &live{liveLimits: liveLimits{events: 100, bytes: 10}, run: "r", changed: make(chan struct{})}
	for range 5 {
		l.add("r", []*liveEvent{{size: 4}, {size: 4}})
		require.LessOrEqual(t, l.size, 10)
	}
	require.Len(t, l.after(0, 100).events, 2)
	require.EqualValues(t, 8, l.after(0, 100).missed)
	l.add("r", []*liveEvent{{size: 400}})
	require.Len(t, l.after(0, 100).events, 1, "the last one is always kept")
}

// A browser that follows, and is no longer signed in, is told so: it is not sent on to a form.
func TestLive_wantsTheToken(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, func(c *Console, _ *http.Server) {
		c.door = web.NewDoor(nil, "a token of a test", cookie, "", c.Logger)
	})
	for _, path := range []string{"/events/stream", "/api/v1/events"} {
		status, body := f.get(path)
		require.Equal(t, http.StatusUnauthorized, status)
		require.NotContains(t, body, "data:")
	}
	require.Empty(t, f.live.run)
}
