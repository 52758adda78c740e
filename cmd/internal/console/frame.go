package console

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/dlq"
	"allocation/store"
)

//go:embed templates/*.html
var ownFiles embed.FS

// frame is what stands around a page.
type frame struct {
	*Answer
	Name  string // of the program
	Where string
	Nav   []navigation
	Term  string // that was searched for
	Twin  string // where its JSON is; empty: it has none
	Here  string // the page's own link
	Now   time.Time
	Acts  bool // a page of the console has buttons that do something
}

type navigation struct {
	Name, Link string
	Here       bool
}

func (c *Console) frame(r *http.Request, a *Answer) *frame {
	f := &frame{Answer: a, Name: c.Program.Name, Now: time.Now(), Here: r.URL.RequestURI(), Acts: len(c.Product.Actions) > 0}
	if !c.door.Knows(r.Host) || !c.door.Opens(r) {
		return f
	}
	f.Where = c.Where
	f.Term = r.URL.Query().Get("id")
	own := strings.TrimPrefix(r.URL.Path, c.Prefix)
	for i := range c.pages {
		p := &c.pages[i]
		if p.Nav != "" {
			f.Nav = append(f.Nav, navigation{p.Nav, c.Link(p.Path), p.Path == own})
		}
		if p.Path == own {
			f.Twin = c.Prefix + "/api/v1" + twinPath(own)
			if r.URL.RawQuery != "" {
				f.Twin += "?" + r.URL.RawQuery
			}
		}
	}
	return f
}

func twinPath(path string) string {
	if path == "/" {
		return "/status"
	}
	return path
}

// parse reads the templates: the frame, and each page in it.
func (c *Console) parse() (map[string]*template.Template, error) {
	funcs := c.funcs()
	if more := c.Product.Funcs; more != nil {
		maps.Copy(funcs, more(c))
	}
	own, _ := fs.Sub(ownFiles, "templates") // it is embedded
	frame, err := template.New("").Funcs(funcs).ParseFS(own, "layout.html", "parts.html")
	if err == nil && hasFile(c.Product.Files, "parts.html") {
		frame, err = frame.ParseFS(c.Product.Files, "parts.html")
	}
	if section := c.Product.Section; err == nil && section != nil {
		frame, err = frame.ParseFS(c.Product.Files, section.File)
	}
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, file := range append(c.files(), "failure.html", "sign-in.html") {
		files := own
		if !hasFile(own, file) {
			files = c.Product.Files
		}
		page, err := frame.Clone()
		if err == nil {
			all[file], err = page.ParseFS(files, file)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func hasFile(files fs.FS, name string) bool {
	if files == nil {
		return false
	}
	_, err := fs.Stat(files, name)
	return err == nil
}

// files are the templates of the pages.
func (c *Console) files() (all []string) {
	for i := range c.pages {
		all = append(all, c.pages[i].File)
	}
	return all
}

// funcs are what all templates call.
func (c *Console) funcs() template.FuncMap {
	w := c.Product.Words
	return template.FuncMap{
		"link":        c.Link,
		"static":      func(name string) string { return c.Prefix + "/static/" + c.statics.Link(name) },
		"count":       cli.Count,
		"int64":       func(n int) int64 { return int64(n) },
		"countOf":     cli.CountOf,
		"when":        cli.When,
		"ago":         ago,
		"text":        cli.Printable,
		"payload":     func(content []byte) string { return cli.PrintableLines(c.Payloads.Show(content)) },
		"needsPage":   needsPage,
		"keyPage":     func() string { return c.Product.KeyPage },
		"waitingPage": func() string { return c.Product.WaitingPage },
		"what":        w.What,
		"why":         w.Why,
		"command":     func(cause store.CauseView) string { return w.Command(&cause) },
		"shell":       c.Command,
		"history":     steps,
		"letterState": dlq.StateOf,
		"readAgain":   dlq.ReadAgain,
		"atMilli":     time.UnixMilli,
		"rate":        rateText,
		"int64of":     func(n int32) int64 { return int64(n) },
		"finds":       func() string { return c.Product.Finds },
		"topic":       func() string { return c.Program.Vocabulary.Topic },
		"keyName":     func() string { return c.Program.Vocabulary.Key },
		"entity":      func() string { return c.Program.Vocabulary.Entity },
		"title":       func(word string) string { return strings.ToUpper(word[:1]) + word[1:] },
		"lines":       cli.PrintableLines,
	}
}

// rateText is how many there are a second.
func rateText(rate float64) string {
	switch {
	case rate == 0:
		return "0"
	case rate < 10:
		return fmt.Sprintf("%.2f", rate)
	}
	return cli.Count(int64(rate + 0.5))
}

// ago says how long ago something was.
func ago(at time.Time) string {
	d := time.Since(at)
	switch {
	case d < 0:
		return "in the future"
	case d < time.Minute:
		return cli.CountOf(int64(d.Seconds()), "second") + " ago"
	case d < time.Hour:
		return cli.CountOf(int64(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return cli.CountOf(int64(d.Hours()), "hour") + " ago"
	}
	return cli.CountOf(int64(d.Hours()/24), "day") + " ago"
}

// Step is a command in a history, with its events.
type Step struct {
	Cause  store.CauseView
	At     *time.Time // when it was committed, else the time of its record
	Worker string
	Events []*store.EventView
}

// steps puts the events of a history below their commands.
func steps(events []store.EventView) (all []Step) {
	for i := range events {
		e := &events[i]
		if n := len(all); n == 0 || all[n-1].Cause.ID != e.Cause.ID {
			at := e.Committed
			if at == nil {
				at = e.Cause.Time
			}
			all = append(all, Step{Cause: e.Cause, At: at, Worker: e.Worker})
		}
		last := &all[len(all)-1]
		last.Events = append(last.Events, e)
	}
	return all
}
