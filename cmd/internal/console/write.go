package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// PageTime is how long a page may be read.
const PageTime = 5 * time.Second

// errSlow ends a page that takes longer.
var errSlow = fmt.Errorf("it took longer than %s", PageTime)

// read reads a page.
func (c *Console) read(page *Page, r *http.Request) (*Answer, error) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), PageTime, errSlow)
	defer cancel()
	request := newRequest(r.URL.Query())
	answer, err := page.Read(ctx, request)
	if err != nil {
		return nil, cli.CauseOf(ctx, err)
	}
	return answer, request.unknown()
}

// page writes a page for people.
func (c *Console) page(page *Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := c.read(page, r)
		var mistake *Mistake
		switch {
		case errors.As(err, &mistake):
			c.write(w, r, mistake.Status, page.File, mistake.Form)
		case err != nil:
			c.fail(w, r, err)
		default:
			c.write(w, r, http.StatusOK, page.File, answer)
		}
	})
}

// twin writes a page for programs.
func (c *Console) twin(page *Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := c.read(page, r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = c.Program.WriteJSON(w, answer.Data) // who asked has gone
	})
}

func (c *Console) isTwin(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, c.Prefix+"/api/")
}

// write writes an answer, whole or not at all.
func (c *Console) write(w http.ResponseWriter, r *http.Request, status int, file string, a *Answer) {
	var page bytes.Buffer
	if err := c.templates[file].ExecuteTemplate(&page, "layout", c.frame(r, a)); err != nil {
		c.Logger.Error("write a page", "page", r.URL.Path, "error", err)
		http.Error(w, "the page could not be written; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

// fail says why there is no page.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	failure := c.failureOf(r.Context(), err)
	if c.isTwin(r) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(failure.Status)
		_ = json.NewEncoder(w).Encode(map[string]any{"title": failure.Title, "status": failure.Status, "detail": strings.Join(failure.Says, "\n")})
		return
	}
	c.write(w, r, failure.Status, "failure.html", &Answer{Title: failure.Title, Data: failure})
}

// failureOf says what an error means to who asked.
func (c *Console) failureOf(ctx context.Context, err error) *Failure {
	var failure *Failure
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.Is(err, errSlow), errors.As(err, &pg) && pg.Code == "57014":
		return &Failure{Status: http.StatusServiceUnavailable, Title: "This took too long", Says: []string{
			fmt.Sprintf("the database did not answer within %s, and the console waits no longer: ask for less, or see the status", PageTime),
		}}
	case errors.As(err, &pg) && strings.HasPrefix(pg.Code, "42"):
		// The database does not understand a statement. It may have been migrated down meanwhile.
		if old := (*store.SchemaError)(nil); errors.As(c.Store.CheckSchema(ctx), &old) {
			return &Failure{Status: http.StatusServiceUnavailable, Title: "The database's schema is too old", Says: []string{
				old.Error(), "as its owner: " + c.Command("migrate", "up"),
			}}
		}
	}
	return &Failure{Status: http.StatusServiceUnavailable, Title: "The database cannot be read now", Says: []string{err.Error()}}
}
