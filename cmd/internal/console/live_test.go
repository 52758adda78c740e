package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
	"allocation/deploy/testbed"
	"allocation/store"
)

// follows is a console whose events tests follow.
type follows struct {
	*Console
	t       *testing.T
	brokers string
	topic   string
	client  *kgo.Client
	server  *httptest.Server
	stop    context.CancelFunc
	made    int
}

// newFollows makes a console on a topic. adjust changes its options and its server before it
// begins.
func newFollows(t *testing.T, brokers, topic string, adjust func(*Console, *http.Server)) *follows {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c, err := New(ctx, Options{
		Program: &cli.Program{
			Name: "demo", Err: io.Discard, Service: store.Service{TypePrefix: "demo.v1."},
			Vocabulary: config.Vocabulary{Events: []string{"Added", "Removed"}, Entity: "counter"},
		},
		Kafka: config.Kafka{Brokers: brokers, SecurityProtocol: "PLAINTEXT"}, Events: config.Events{EventsTopic: topic},
		Product: Product{
			Words: explain.Words{
				Command: func(*store.CauseView) string { return "" }, Why: func(*store.EventView) []string { return nil },
				What: func(e *store.EventView) string { return "it says " + string(e.Data) },
			},
			KeyPage: "/counter", Files: fstest.MapFS{}, Pages: func(*Console) []Page { return nil },
		},
		Payloads: PayloadsFull, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	c.live.look, c.live.again = 100*time.Millisecond, 20*time.Millisecond
	f := &follows{Console: c, t: t, brokers: brokers, topic: topic, server: httptest.NewUnstartedServer(c), stop: stop}
	if adjust != nil {
		adjust(c, f.server.Config)
	}
	f.server.Start()
	t.Cleanup(func() {
		stop()
		f.server.Close()
		c.Close()
	})
	return f
}

// newFollowing is newFollows on a topic that there is.
func newFollowing(t *testing.T, partitions int32, adjust func(*Console, *http.Server)) *follows {
	t.Helper()
	brokers := testbed.Kafka(t)
	return newFollows(t, brokers, testbed.Topic(t, "events", partitions), adjust)
}

// event produces an event, whose data has a number that counts on.
func (f *follows) event(key, eventType string) {
	f.t.Helper()
	if f.client == nil {
		f.client = testbed.Client(f.t, f.brokers)
	}
	f.made++
	r := record(f.topic, key, eventType, fmt.Sprintf(`{"n":%d}`, f.made))
	require.NoError(f.t, f.client.ProduceSync(f.t.Context(), r).FirstErr())
}

func record(topic, key, eventType, data string) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(data), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte("demo.v1." + eventType)}, {Key: "ce_subject", Value: []byte("about-" + key)},
		{Key: "ce_correlationid", Value: []byte("cart-" + key)}, {Key: "ce_partitionkey", Value: []byte(key)},
	}}
}

// page is a page's text.
func (f *follows) page(path string) string {
	f.t.Helper()
	status, page := f.get(path)
	require.Equal(f.t, http.StatusOK, status, page)
	return page
}

func (f *follows) get(path string) (status int, body string) {
	f.t.Helper()
	answer, err := f.server.Client().Get(f.server.URL + path)
	require.NoError(f.t, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	require.NoError(f.t, err)
	return answer.StatusCode, string(content)
}

// message is what a stream sent.
type message struct{ event, id, data string }

// n is the number of an event.
func (m message) n(t *testing.T) int {
	t.Helper()
	var e struct{ Data struct{ N int } }
	require.NoError(t, json.Unmarshal([]byte(m.data), &e), m.data)
	return e.Data.N
}

// stream is read by a test.
type stream struct {
	t     *testing.T
	lines *bufio.Reader
	close context.CancelFunc
	last  string // id
}

// follow asks for a stream, from after a message on; empty: from now on.
func (f *follows) follow(path, last string) *stream {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.server.URL+path, nil)
	require.NoError(f.t, err)
	request.Header.Set("Accept", eventStream)
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	answer, err := f.server.Client().Do(request)
	require.NoError(f.t, err)
	require.Equal(f.t, http.StatusOK, answer.StatusCode)
	require.Equal(f.t, eventStream, answer.Header.Get("Content-Type"))
	closing := func() { cancel(); answer.Body.Close() }
	f.t.Cleanup(closing)
	return &stream{t: f.t, lines: bufio.NewReader(answer.Body), close: closing}
}

// next is the next message, or an error where the stream ended.
func (s *stream) next() (m message, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" && (m.data != "" || m.event != ""):
			return m, nil
		case field == "event":
			m.event = value
		case field == "id":
			m.id, s.last = value, value
		case field == "data":
			m.data += value + "\n"
		}
	}
}

func (s *stream) read() message {
	s.t.Helper()
	m, err := s.next()
	require.NoError(s.t, err)
	return m
}

// began reads what a program is told first.
func (s *stream) began() liveTold {
	s.t.Helper()
	m := s.read()
	require.Equal(s.t, "state", m.event)
	var told liveTold
	require.NoError(s.t, json.Unmarshal([]byte(m.data), &told))
	return told
}

// well reads until the stream says that events are read.
func (s *stream) well() {
	s.t.Helper()
	for {
		told := s.began()
		if told.Problem == "" {
			require.NotNil(s.t, told.Since)
			return
		}
		s.t.Log(told.Problem)
	}
}

func TestLive_keepsTheOrderOfEachKey(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 3, nil)
	s := f.follow("/api/v1/events", "")
	s.well()
	for i := range 60 {
		f.event(fmt.Sprint("k", i%5), "Added")
	}
	last := map[string]int{}
	for range 60 {
		m := s.read()
		var e struct{ PartitionKey string }
		require.NoError(t, json.Unmarshal([]byte(m.data), &e))
		require.Greater(t, m.n(t), last[e.PartitionKey], e.PartitionKey)
		last[e.PartitionKey] = m.n(t)
	}
	require.Len(t, last, 5)
	_, number, _ := strings.Cut(s.last, "-")
	require.Equal(t, "60", number)
}

func TestLive_filters(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, nil)
	for name, filter := range map[string]string{"a type": "type=Removed", "a key": "key=b", "a subject": "subject=about-b", "a correlation": "correlation=cart-b"} {
		t.Run(name, func(t *testing.T) {
			s := f.follow("/api/v1/events?"+filter, "")
			s.well()
			f.event("a", "Added")
			f.event("b", "Removed")
			f.event("a", "Added")
			f.event("b", "Removed")
			require.Equal(t, f.made-2, s.read().n(t))
			require.Equal(t, f.made, s.read().n(t))
			page := f.page("/events?" + filter)
			require.Contains(t, page, fmt.Sprintf(`it says {&#34;n&#34;:%d}`, f.made))
			require.NotContains(t, page, fmt.Sprintf(`it says {&#34;n&#34;:%d}`, f.made-1))
		})
	}
	status, body := f.get("/events?type=Dispatched")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "it must be one of Added, Removed")
}

// A connection is cut at any place: nothing is lost or comes twice.
func TestLive_resumes(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 2, nil)
	s := f.follow("/api/v1/events", "")
	s.well()
	seen := map[int]bool{}
	for cut := range 5 {
		for range 20 {
			f.event("k", "Added")
		}
		for range 20 - cut {
			n := s.read().n(t)
			require.False(t, seen[n], "event %d came twice", n)
			seen[n] = true
		}
		s.close()
		s = f.follow("/api/v1/events", s.last)
		require.Empty(t, s.began().LeftOut)
	}
	for len(seen) < f.made {
		n := s.read().n(t)
		require.False(t, seen[n], "event %d came twice", n)
		seen[n] = true
	}
}

// What is no longer kept cannot be sent again: who resumes is told how much that is.
func TestLive_saysWhatAResumptionMisses(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.live.liveLimits.events = 5 })
	s := f.follow("/api/v1/events", "")
	s.well()
	f.event("k", "Added")
	first := s.read()
	s.close()
	other := f.follow("/api/v1/events", "")
	other.well()
	for range 8 {
		f.event("k", "Added")
		other.read()
	}
	s = f.follow("/api/v1/events", first.id)
	require.Contains(t, s.began().LeftOut, "3 events were left out")
	require.Equal(t, 5, s.read().n(t))
	require.Contains(t, f.follow("/events/stream", first.id).read().data, "3 events were left out")
	require.Contains(t, f.page("/events?at="+first.id), "3 events were left out")

	s = f.follow("/api/v1/events", "another-7")
	require.Equal(t, notKept, s.began().LeftOut)
	require.Equal(t, 5, s.read().n(t))
}

// The browser's list is sent whole: it has the last events, newest first, and no more than those.
func TestLive_sendsABrowserItsList(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, func(c *Console, _ *http.Server) { c.live.pace = time.Millisecond })
	s := f.follow("/events/stream", "")
	require.Contains(t, s.read().data, "No such event came yet")
	for range maxListed + 7 {
		f.event("<b>", "Added")
	}
	whole := ""
	for !strings.Contains(whole, fmt.Sprintf(`id="e%d"`, f.made)) {
		whole = s.read().data
	}
	require.Equal(t, maxListed, strings.Count(whole, "<tr id="))
	require.Less(t, strings.Index(whole, fmt.Sprintf(`id="e%d"`, f.made)), strings.Index(whole, fmt.Sprintf(`id="e%d"`, f.made-1)))
	require.NotContains(t, whole, `"e7"`)
	require.NotContains(t, whole, "<b>")
}

// A page that stands still shows what it showed, and connects to nothing.
func TestLive_pauses(t *testing.T) {
	t.Parallel()
	f := newFollowing(t, 1, nil)
	s := f.follow("/events/stream?key=k", "")
	s.read()
	f.event("k", "Added")
	id := ""
	for id == "" {
		if m := s.read(); strings.Contains(m.data, `id="e1"`) {
			id = m.id
			require.Contains(t, m.data, template.HTMLEscapeString(f.Link("/events", "at", id, "paused", "1", "key", "k")))
		}
	}
	f.event("k", "Added")
	for !strings.Contains(s.read().data, `id="e2"`) {
		continue
	}
	page := f.page("/events?key=k&paused=1&at=" + id)
	require.Contains(t, page, `id="e1"`)
	require.NotContains(t, page, `id="e2"`)
	require.NotContains(t, page, "hx-sse:connect")
	page = f.page("/events?key=k&at=" + id)
	require.Contains(t, page, `id="e2"`)
	require.Contains(t, page, "hx-sse:connect")
}
