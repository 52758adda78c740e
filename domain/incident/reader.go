package incident

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Reader reads a file, one command after the other, so that a large one needs little memory. It
// also reads what `explain product --json` prints, where that has all events from the first on.
type Reader struct {
	in   *json.Decoder
	take Taker

	at      string // where in the file it is
	pending *Command
	told    told
	twice   twiceScanner
}

// Taker is given what a file has.
type Taker interface {
	// Begin is told a product before its commands. Its version is not known yet.
	Begin(p *Product) error
	// Step is told a command of it.
	Step(c *Command) error
	// End is told that there are no more.
	End() error
}

// Read reads a file.
func Read(in io.Reader, take Taker) error {
	r := &Reader{in: json.NewDecoder(bufio.NewReaderSize(in, 1<<16)), take: take}
	if err := r.file(); err != nil {
		return err
	}
	if _, err := r.in.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more behind the end of the object, at byte %d", r.in.InputOffset())
	}
	return nil
}

func (r *Reader) file() error {
	explained := &Product{}
	found, formatted, products := false, false, 0
	err := r.object("", func(name string) error {
		switch name {
		case "format":
			var format string
			if err := r.value("format", &format); err != nil {
				return err
			}
			if format != Format {
				return fmt.Errorf("format is %q; it must be %q", format, Format)
			}
			formatted = true
			return nil
		case "products":
			found = true
			return r.array("products", func(at string) error {
				products++
				return r.oneProduct(at)
			})
		case "sku":
			return r.value("sku", &explained.SKU)
		case "events":
			found, formatted, products = true, true, 1
			return r.explained(explained)
		}
		return r.skip()
	})
	switch {
	case err != nil:
	case found && !formatted:
		err = fmt.Errorf("format is missing; it must be %q", Format)
	case found && products == 0:
		err = errors.New("products is empty; there is nothing to replay")
	case !found:
		err = errors.New("it has neither products, as export writes them, nor events, as explain product --json prints them")
	}
	return err
}

func (r *Reader) oneProduct(at string) error {
	p := &Product{}
	fields := map[string]any{"sku": &p.SKU, "since": &p.Since, "start": &p.Start, "version": &p.Version, "left_out": &p.LeftOut}
	began := false
	err := r.object(at, func(name string) error {
		switch into := fields[name]; {
		case name == "commands" && (p.SKU == "" || p.Start == nil):
			return fmt.Errorf("%s.commands comes before its sku and its start; they must come first", at)
		case name == "commands":
			began = true
			if err := r.begin(at, p); err != nil {
				return err
			}
			return r.array(at+".commands", r.command)
		case into != nil:
			return r.value(at+"."+name, into)
		}
		return r.skip()
	})
	switch {
	case err != nil:
		return err
	case !began:
		return fmt.Errorf("%s has no commands", at)
	}
	if err := p.check(); err != nil { // some of its fields may come behind its commands
		return fmt.Errorf("%s.%w", at, err)
	}
	return r.take.End()
}

func (r *Reader) begin(at string, p *Product) error {
	if err := r.take.Begin(p); err != nil {
		return in(at, err)
	}
	r.told = newTold(p)
	if err := p.check(); err != nil {
		return fmt.Errorf("%s.%w", at, err)
	}
	return nil
}

func (r *Reader) command(at string) error {
	c := &Command{}
	if err := r.value(at, c); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return fmt.Errorf("%s.%w", at, err)
	}
	if err := r.told.add(c); err != nil {
		return fmt.Errorf("%s.%w", at, err)
	}
	return in(at, r.take.Step(c))
}

func (c *Command) check() error {
	switch {
	case c.Type == "":
		return errors.New("type is missing")
	case len(c.Data) == 0:
		return errors.New("data is missing")
	case c.Result != Changed && c.Result != NoEffect && c.Result != Refused:
		return fmt.Errorf("result is %q; it must be %s, %s or %s", c.Result, Changed, NoEffect, Refused)
	case c.Result == Refused && c.Reason == "":
		return errors.New("reason is missing; a refused command has one")
	case c.Result == Changed && len(c.Events) == 0:
		return errors.New("events is missing; a command that changed something has some")
	}
	return nil
}

func in(at string, err error) error {
	var d *Found
	if err == nil || errors.As(err, &d) || errors.Is(err, errEnough) {
		return err
	}
	return fmt.Errorf("%s: %w", at, err)
}

// object calls field with the name of each field, which reads or skips the value.
func (r *Reader) object(at string, field func(name string) error) error {
	if err := r.delim(at, '{', "an object"); err != nil {
		return err
	}
	var seen twiceScanner
	for r.in.More() {
		token, err := r.in.Token()
		if err != nil {
			return r.syntax(err)
		}
		name := token.(string)
		if !seen.add([]byte(name), 0) {
			return isTwice(strings.TrimPrefix(at+"."+name, "."))
		}
		if err := field(name); err != nil {
			return err
		}
	}
	_, err := r.in.Token()
	return r.syntax(err)
}

func (r *Reader) array(at string, element func(at string) error) error {
	if err := r.delim(at, '[', "an array"); err != nil {
		return err
	}
	for i := 0; r.in.More(); i++ {
		if err := element(fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	_, err := r.in.Token()
	return r.syntax(err)
}

func (r *Reader) delim(at string, want json.Delim, words string) error {
	token, err := r.in.Token()
	if err != nil {
		return r.syntax(err)
	}
	if token != want {
		if at == "" {
			at = "the file"
		}
		return fmt.Errorf("%s is %v; it must be %s", at, token, words)
	}
	return nil
}

func (r *Reader) skip() error {
	var raw json.RawMessage
	return r.syntax(r.in.Decode(&raw))
}

// value reads a value. Its error names the field and the value.
func (r *Reader) value(at string, into any) error {
	var raw json.RawMessage
	if err := r.in.Decode(&raw); err != nil {
		return r.syntax(err)
	}
	err := json.Unmarshal(raw, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		if wrong.Field != "" {
			at += "." + strings.ReplaceAll(wrong.Field, "Outcome.", "") // it is embedded
		}
		return fmt.Errorf("%s is %s; it must be %s", at, valueAt(raw, wrong.Offset), kindOf(wrong))
	}
	if err != nil {
		return fmt.Errorf("%s is %s: %w", at, shorten(raw), err)
	}
	if member := r.twice.find(raw); member != "" {
		return isTwice(at + member)
	}
	return nil
}

func (r *Reader) syntax(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it ends at byte %d, before its end: it is cut, or no JSON", r.in.InputOffset())
	}
	return fmt.Errorf("it is no JSON behind byte %d: %w", r.in.InputOffset(), err)
}

// valueAt is the value that ends at an offset.
func valueAt(raw []byte, end int64) string {
	for start := end - 1; start >= 0; start-- {
		if text := bytes.TrimSpace(raw[start:end]); json.Valid(text) && (start == 0 || bytes.IndexByte([]byte(":,[ \n\t"), raw[start-1]) >= 0) {
			return shorten(text)
		}
	}
	return shorten(raw[:end])
}

func shorten(text []byte) string {
	const enough = 64
	if len(text) > enough {
		return string(bytes.ToValidUTF8(text[:enough], nil)) + "…"
	}
	return string(text)
}

func kindOf(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); {
	case strings.HasPrefix(kind, "int"):
		return "an integer"
	case kind == "string":
		return "a string"
	case kind == "bool":
		return "true or false"
	case kind == "slice":
		return "an array"
	}
	return "an object"
}
