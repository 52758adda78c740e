package console

import (
	"context"
	"net/url"
	"time"

	"allocation/cmd/internal/cli"
)

// Page is one page of the console. Its JSON twin has the same path below /api/v1.
type Page struct {
	Path string // such as /order
	Nav  string // what the navigation calls it; empty: it is not there
	File string // its template
	Read func(context.Context, *Request) (*Answer, error)
}

// Answer is what a page has read.
type Answer struct {
	Title   string
	Data    any           // what the template shows, and the JSON of the twin
	Shell   []Shell       // commands that print the same, or do what may be needed
	Refresh time.Duration // how often a browser with scripts looks again; 0: never
	File    *FileLink     // a download about the same; nil: there is none
}

// FileLink leads to a download.
type FileLink struct{ Says, Link string }

// Shell is a command for a person to type.
type Shell struct {
	Says    string // what it does
	Command string
}

// Command writes a command of the program as a shell reads it.
func (c *Console) Command(words ...string) string {
	return cli.Quote(append([]string{c.Program.Name}, words...)...)
}

// Link is where a page is, with parameters: names and values in turn. Those without a value are
// left out.
func (c *Console) Link(path string, parameters ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		values.Del(parameters[i])
		if parameters[i+1] != "" {
			values.Set(parameters[i], parameters[i+1])
		}
	}
	link := c.Prefix + path
	if len(values) > 0 {
		link += "?" + values.Encode()
	}
	return link
}
