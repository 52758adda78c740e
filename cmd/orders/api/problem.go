package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"allocation/domain/strictjson"
)

// Problem is an error as RFC 9457 has it.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Reason string `json:"reason,omitempty"`  // a word of the table of commands, where a worker refused one
	ID     string `json:"request,omitempty"` // of the request that it is about

	header http.Header
}

func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

func problem(status int, title, format string, args ...any) *Problem {
	return &Problem{Title: title, Status: status, Detail: fmt.Sprintf(format, args...), header: http.Header{}}
}

// with adds a header.
func (p *Problem) with(name, value string) *Problem {
	p.header.Set(name, value)
	return p
}

// wrong says that a value is none that is allowed.
func wrong(status int, name, value, allowed string) *Problem {
	return problem(status, "This cannot be asked", "%s is %q; it must be %s", name, strictjson.Shorten(value), allowed)
}

func missing(format string, args ...any) *Problem {
	return problem(http.StatusNotFound, "Not found", format, args...)
}

// busy asks to come again soon.
func busy(format string, args ...any) *Problem {
	return problem(http.StatusServiceUnavailable, "This cannot be done now", format, args...).with("Retry-After", "1")
}

func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who asked has gone
}
