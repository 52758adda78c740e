package send

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"allocation/cmd/internal/cli"
)

// Given is one command, or a file of them, on a command line.
type Given struct {
	Type          string   `arg:"" optional:"" help:"The command, such as ${a_type}."`
	Fields        []string `arg:"" optional:"" sep:"none" name:"key=value" help:"The command's data."`
	File          string   `short:"f" placeholder:"FILE" help:"Take the JSON lines of a file; - is standard input."`
	ID            string   `name:"id" placeholder:"ID" help:"The command's ce_id; a random one without it."`
	CorrelationID string   `name:"correlation-id" placeholder:"ID" help:"Goes into the events that the command leads to."`

	Language *Language `kong:"-"`
}

// check finds out whether it is one command or a file, for the subcommand of a name.
func (g *Given) check(p *cli.Program, subcommand string) error {
	switch {
	case g.File != "" && (g.Type != "" || g.ID != "" || g.CorrelationID != ""):
		return cli.Misuse("%s takes a TYPE with its data, or -f FILE whose lines say all, not both", subcommand)
	case g.File == "" && g.Type == "":
		return cli.Misuse("%[1]s needs a TYPE with its data, or -f FILE; see %[2]s %[1]s --help", subcommand, p.Name)
	}
	return nil
}

// one is the command of the arguments.
func (g *Given) one() (*Message, error) {
	data, err := g.Language.dataOf(g.Type, g.Fields)
	if err != nil {
		return nil, err
	}
	m := &Message{Command: g.Type, Data: data, ID: g.ID, CorrelationID: g.CorrelationID}
	if err := g.Language.check(m); err != nil {
		return nil, cli.Misuse("%w", err)
	}
	return m, nil
}

// Each calls do with each command, for the subcommand of a name, and says in its errors that
// nothing was done. The line is that of the file; 0: there is none. The message's data is gone when
// do returns. do may have been called before an error.
func (g *Given) Each(p *cli.Program, subcommand, done string, do func(line int64, m *Message)) error {
	if err := g.check(p, subcommand); err != nil {
		return err
	}
	if g.File == "" {
		m, err := g.one()
		if err == nil {
			do(0, m)
		}
		return err
	}
	in, _, err := g.open(p, done)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := newMessageLines(in, g.Language)
	for found := false; ; found = true {
		m, err := lines.next()
		switch {
		case errors.Is(err, io.EOF) && !found:
			return g.nothing(done)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("nothing was %s: %w", done, err)
		}
		do(lines.line, m)
	}
}

// nothing is the error of a file without a command.
func (g *Given) nothing(done string) error {
	return fmt.Errorf("nothing was %s: -f %s has no line with a command", done, g.File)
}

// open opens the file and checks it. The size is 0 where it is not known.
func (g *Given) open(p *cli.Program, done string) (in io.ReadCloser, size int64, err error) {
	if g.File == "-" {
		return io.NopCloser(p.In), 0, nil
	}
	file, err := os.Open(g.File)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() {
		size = info.Size()
		err = g.checkLines(file, done)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	return file, size, nil
}

// checkLines reads all lines and goes back to the beginning.
func (g *Given) checkLines(file *os.File, done string) error {
	const shown = 10
	lines := newMessageLines(file, g.Language)
	var wrong []string
	total := 0
	for {
		var bad *lineError
		_, err := lines.next()
		switch {
		case errors.Is(err, io.EOF) && total == 0:
			_, err := file.Seek(0, io.SeekStart)
			return err
		case errors.Is(err, io.EOF):
			if total > shown {
				wrong = append(wrong, fmt.Sprintf("… and %s more", cli.Count(int64(total-shown))))
			}
			return fmt.Errorf("nothing was %s, because %s is wrong:\n%s", done, file.Name(), strings.Join(wrong, "\n"))
		case errors.As(err, &bad):
			if total++; total <= shown {
				wrong = append(wrong, bad.Error())
			}
		case err != nil:
			return fmt.Errorf("nothing was %s: %s: %w", done, file.Name(), err)
		}
	}
}
