package send

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"allocation/domain/strictjson"
)

// maxLine is more than any command that Kafka takes.
const maxLine = 16 << 20

// messageLines reads commands from JSON lines.
type messageLines struct {
	language *Language
	lines    *bufio.Scanner
	line     int64 // the number of the last line, from 1
	bytes    int64 // read so far
}

func newMessageLines(in io.Reader, language *Language) *messageLines {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 256<<10), maxLine)
	return &messageLines{language: language, lines: lines}
}

// lineError says which line is wrong.
type lineError struct {
	line int64
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// next reads the next command, whose data is gone at the call after. Empty lines are passed over.
// Its error is io.EOF at the end, a *lineError for a line that is no command, after which it can be
// called again, or that of reading.
func (l *messageLines) next() (*Message, error) {
	for l.lines.Scan() {
		l.line++
		l.bytes += int64(len(l.lines.Bytes())) + 1
		text := bytes.TrimSpace(l.lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := l.checkEncoding(text); err != nil {
			return nil, &lineError{l.line, err}
		}
		m, err := l.language.readMessage(text)
		if err != nil {
			return nil, &lineError{l.line, err}
		}
		return m, nil
	}
	switch err := l.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d is longer than %d MiB, which is more than any command that Kafka takes", l.line+1, maxLine>>20)
	case err != nil:
		return nil, fmt.Errorf("read line %d: %w", l.line+1, err)
	}
	return nil, io.EOF
}

// checkEncoding says what a text editor may have put before the first line.
func (l *messageLines) checkEncoding(line []byte) error {
	switch {
	case l.line > 1:
		return nil
	case bytes.HasPrefix(line, []byte("\xef\xbb\xbf")):
		return errors.New("it begins with a byte order mark (EF BB BF): save the file as UTF-8 without one")
	case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")):
		return errors.New("it is UTF-16: save the file as UTF-8 without a byte order mark")
	}
	return nil
}

// readMessage takes a line apart and checks the command.
func (l *Language) readMessage(line []byte) (*Message, error) {
	m := &Message{}
	if err := strictjson.Parse(line, m.member); err != nil {
		return nil, err
	}
	switch {
	case m.Command == "":
		return nil, fmt.Errorf(`the member "type" is missing, as in %s`, l.Line)
	case m.Data == nil:
		return nil, fmt.Errorf(`the member "data" is missing, as in %s`, l.Line)
	}
	return m, l.check(m)
}

func (m *Message) member(name []byte, value strictjson.Value) error {
	switch string(name) {
	case "type":
		return m.text(&m.Command, "type", value)
	case "id":
		return m.text(&m.ID, "id", value)
	case "correlationid":
		return m.text(&m.CorrelationID, "correlationid", value)
	case "key":
		return m.text(&m.Key, "key", value)
	case "data":
		m.Data = value.Raw()
		return nil
	}
	return fmt.Errorf("there is no member %q; a line has type, data, id, correlationid and key", name)
}

func (m *Message) text(to *string, name string, value strictjson.Value) error {
	if *to = value.Text(); *to == "" {
		return fmt.Errorf("%s is %s; it must be a string that is not empty", name, value.Raw())
	}
	return nil
}
