package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"allocation/cmd/internal/cli"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sendFile sends the lines of a file. A regular file is checked to its end before anything is sent.
func (c *Command) sendFile(ctx context.Context, p *cli.Program) error {
	in, size, err := c.open(p, "sent")
	if err != nil {
		return err
	}
	defer in.Close()
	debug.SetGCPercent(400) // what is in flight is bounded, and memory for speed is a good trade here
	client, err := c.connect(ctx, p, kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(50_000))
	if err != nil {
		return err
	}
	defer client.Close()
	s := &fileSender{client: client, language: c.Language, program: p.Name, topic: c.topic(), size: size, line: cli.NewStatusLine(p.Err), started: time.Now()}
	err = s.send(ctx, in)
	s.line.End()
	if err == nil && s.sent.Load() == 0 {
		return c.nothing("sent")
	}
	if err != nil {
		return fmt.Errorf("%w\n%s commands were sent before", err, cli.Count(s.sent.Load()))
	}
	return c.printSummary(p, s)
}

// fileSender sends lines, many at a time.
type fileSender struct {
	client   *kgo.Client
	topic    string
	language *Language
	program  string
	size     int64 // of the file, in bytes; 0 where it is not known
	line     *cli.StatusLine
	started  time.Time
	sent     atomic.Int64 // accepted by Kafka
}

// send returns when Kafka has accepted all, or at the first error.
func (s *fileSender) send(ctx context.Context, in io.Reader) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	lines := newMessageLines(in, s.language)
	promise := func(r *kgo.Record, err error) {
		if err != nil {
			fail(fmt.Errorf("send to %s: %w", r.Topic, err))
			return
		}
		s.sent.Add(1)
	}
	var wrong error
	for ctx.Err() == nil {
		var m *Message
		if m, wrong = lines.next(); wrong != nil {
			break
		}
		if m.ID == "" {
			m.ID = uuid.NewString()
		}
		s.client.Produce(ctx, s.language.Record(m, s.topic, sourceOf(s.program)), promise)
		if lines.line%1024 == 0 { // looking at the clock takes time
			s.line.Say(func() string { return s.progress(lines) })
		}
	}
	if errors.Is(wrong, io.EOF) {
		wrong = nil
	}
	err := s.client.Flush(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errors.Join(err, wrong)
}

// progress is how far the file was read.
func (s *fileSender) progress(l *messageLines) string {
	text := fmt.Sprintf("%s lines, %s a second", cli.Count(l.line), cli.Count(int64(float64(l.line)/time.Since(s.started).Seconds())))
	if s.size > 0 {
		text += fmt.Sprintf(", %d%%", l.bytes*100/s.size)
	}
	return text
}

// SentFile is what `send -f` did.
type SentFile struct {
	Sent    int64   `json:"sent"`
	Topic   string  `json:"topic"`
	Seconds float64 `json:"seconds"`
}

func (c *Command) printSummary(p *cli.Program, s *fileSender) error {
	took := time.Since(s.started)
	done := SentFile{s.sent.Load(), s.topic, took.Seconds()}
	if c.JSON {
		return p.PrintJSON(done)
	}
	_, err := fmt.Fprintf(p.Out, "sent %s commands to %s in %s (%s a second)\n",
		cli.Count(done.Sent), done.Topic, took.Round(time.Millisecond), cli.Count(int64(float64(done.Sent)/done.Seconds)))
	return err
}
