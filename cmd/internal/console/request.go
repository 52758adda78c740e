package console

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"allocation/cmd/internal/config"
)

// maxValue bounds the bytes of a parameter.
const maxValue = 64 << 10

// Request is what a page is asked for. It gathers mistakes in the parameters, so that a user sees
// them all at once.
type Request struct {
	values   url.Values
	problems *config.Problems
	asked    map[string]bool // names that the page looked for
}

func newRequest(values url.Values) *Request {
	return &Request{values, config.ParameterProblems(), map[string]bool{}}
}

// Text is the value of a parameter; empty where there is none.
func (r *Request) Text(name string) string {
	r.asked[name] = true
	value := r.values.Get(name)
	switch {
	case len(value) > maxValue:
		r.problems.Add(name, strings.ToValidUTF8(value[:100], "")+"…", fmt.Sprintf("a text of at most %d bytes", maxValue))
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		r.problems.Add(name, value, "text in UTF-8 without U+0000, as all names are")
	}
	return value
}

// Required is the value of a parameter that must be there.
func (r *Request) Required(name string) string {
	value := r.Text(name)
	if value == "" {
		r.problems.Add(name, value, "a name")
	}
	return value
}

// Ticked reports whether a box is ticked.
func (r *Request) Ticked(name string) bool { return r.OneOf(name, "0", "1") == "1" }

// OneOf is the value of a parameter that has few; the first is that of none.
func (r *Request) OneOf(name string, allowed ...string) string {
	value := r.Text(name)
	if value == "" {
		return allowed[0]
	}
	r.problems.OneOf(name, []string{value}, slices.DeleteFunc(slices.Clone(allowed), func(a string) bool { return a == "" })...)
	return value
}

// Number is the value of a parameter between bounds; usual where there is none.
func (r *Request) Number(name string, usual, least, most int) int {
	if value := r.Text(name); value != "" {
		return r.problems.Integer(name, value, least, most)
	}
	return usual
}

// Ago is a time, or how long ago it was; zero where there is none.
func (r *Request) Ago(name string) time.Time { return r.problems.Ago(name, r.Text(name)) }

// Refuse says that the value of a parameter is none that is allowed.
func (r *Request) Refuse(name, allowed string) { r.problems.Add(name, r.values.Get(name), allowed) }

// Link is a page with the parameters of the request, of which some are changed: names and values in
// turn. Those without a value are left out.
func (r *Request) Link(c *Console, path string, changed ...string) string {
	var all []string
	for name := range r.values {
		all = append(all, name, r.values.Get(name))
	}
	return c.Link(path, append(all, changed...)...)
}

// Say adds a mistake in the caller's words.
func (r *Request) Say(format string, args ...any) { r.problems.Say(format, args...) }

// unknown is an error where there are parameters that the page did not look for: a slip in the name
// of a filter would show all.
func (r *Request) unknown() error {
	var names []string
	for name := range r.values {
		if !r.asked[name] {
			names = append(names, fmt.Sprintf("%q", name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	says := "there is no parameter " + strings.Join(names, ", ") + " here"
	if takes := slices.Sorted(maps.Keys(r.asked)); len(takes) > 0 {
		says += "; this takes " + strings.Join(takes, ", ")
	}
	return &Failure{Status: http.StatusBadRequest, Title: "This cannot be asked", Says: []string{says}}
}

// Err is all mistakes as one error, nil where there are none. A page asks for it before it reads.
func (r *Request) Err() error {
	var mistakes *config.Error
	if !errors.As(r.problems.Err(), &mistakes) {
		return nil
	}
	var says []string
	for _, problem := range mistakes.Problems {
		says = append(says, problem.Error())
	}
	return &Failure{Status: http.StatusBadRequest, Title: "This cannot be asked", Says: says}
}

// Failure is an answer that is no page.
type Failure struct {
	Status int // of HTTP
	Title  string
	Says   []string
	Links  []FailureLink // to what may be asked instead
}

// FailureLink is a page that may be asked for instead.
type FailureLink struct{ Says, Link string }

func (f *Failure) Error() string { return f.Title + ": " + strings.Join(f.Says, "; ") }

// Missing is the answer to a name that nothing has, and where it can be looked for.
func Missing(says string, links ...FailureLink) error {
	return &Failure{Status: http.StatusNotFound, Title: "Not found", Says: []string{says}, Links: links}
}

// AsCommand leads to the commands that have a name as their id or correlation.
func (c *Console) AsCommand(name string) FailureLink {
	return FailureLink{"look for a command with this id or correlation", c.Link("/command", "id", name)}
}

// Mistake is a failure that a page shows people itself, for them to mend what they asked.
type Mistake struct {
	*Failure
	Form *Answer
}

// Unwrap gives the failure, for programs.
func (m *Mistake) Unwrap() error { return m.Failure }
