package console

import (
	"bytes"
	"net/http"
	"time"
)

// sseWriter writes Server-Sent Events. Each write has its own time, so that the server's limit for
// an answer does not end a stream, and a client that does not read does.
type sseWriter struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	limit      time.Duration
	pending    bytes.Buffer
}

func newSSEWriter(w http.ResponseWriter, limit time.Duration) *sseWriter {
	header := w.Header()
	header.Set("Content-Type", eventStream)
	header.Set("X-Accel-Buffering", "no") // a proxy that gathers answers would hold events back
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Time{}) // else the server ends what takes longer than reading a request may
	return &sseWriter{w: w, controller: controller, limit: limit}
}

// message adds a message. An event without a name is swapped in by a page.
func (s *sseWriter) message(event, id string, data []byte) {
	if event != "" {
		s.field("event", []byte(event))
	}
	s.field("id", []byte(id))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		s.field("data", line)
	}
	s.pending.WriteByte('\n')
}

// id adds from where to read on, and nothing to show.
func (s *sseWriter) id(id string) {
	s.field("id", []byte(id))
	s.pending.WriteByte('\n')
}

// comment adds a sign of life, which no reader sees.
func (s *sseWriter) comment() { s.pending.WriteString(":\n\n") }

func (s *sseWriter) field(name string, value []byte) {
	s.pending.WriteString(name)
	s.pending.WriteString(": ")
	s.pending.Write(value)
	s.pending.WriteByte('\n')
}

// flush sends what was added.
func (s *sseWriter) flush() error {
	_ = s.controller.SetWriteDeadline(time.Now().Add(s.limit)) // not every writer has one
	_, err := s.w.Write(s.pending.Bytes())
	s.pending.Reset()
	if err == nil {
		err = s.controller.Flush()
	}
	return err
}
