package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"allocation/domain/strictjson"
)

const (
	maxBody = 16 << 10
	maxWait = 10 * time.Second
)

// request is what a client asks, as far as its route reads it.
type request struct {
	*http.Request
	ctx   context.Context
	path  map[string]string
	query url.Values
}

// newRequest refuses what no route takes: a query that cannot be read, or a parameter twice.
func newRequest(ctx context.Context, r *http.Request, path map[string]string) (*request, *Problem) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem(http.StatusBadRequest, "This cannot be asked", "the query cannot be read: %v", err)
	}
	for name, values := range query {
		if len(values) > 1 {
			return nil, problem(http.StatusBadRequest, "This cannot be asked", "the parameter %.100q is there %d times; it must be there once", name, len(values))
		}
	}
	return &request{r, ctx, path, query}, nil
}

// takes refuses parameters of the query other than these: a slip in a name would mean something
// else than it says.
func (r *request) takes(names ...string) *Problem {
	for name := range r.query {
		if !slices.Contains(names, name) {
			return problem(http.StatusBadRequest, "This cannot be asked", "there is no parameter %.100q here; this takes %s", name, orNone(names))
		}
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// number is a parameter of the query; the usual where there is none.
func (r *request) number(name string, usual, least, most int) (int, *Problem) {
	value, given := r.query[name]
	if !given {
		return usual, nil
	}
	n, err := strconv.Atoi(value[0])
	if err != nil || n < least || n > most || strconv.Itoa(n) != value[0] {
		return 0, wrong(http.StatusBadRequest, name, value[0], fmt.Sprintf("an integer from %d to %d", least, most))
	}
	return n, nil
}

// members reads the body: a JSON object with these members, each as it stands there. One without
// any may be left out.
func (r *request) members(names ...string) (map[string][]byte, *Problem) {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problem(http.StatusRequestEntityTooLarge, "This is too large", "the body has more than %d bytes, which is the most", maxBody)
	case err != nil:
		return nil, problem(http.StatusBadRequest, "This cannot be asked", "the body could not be read: %v", err)
	case len(body) == 0 && len(names) == 0:
		return nil, nil
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return nil, wrong(http.StatusUnsupportedMediaType, "the header Content-Type", r.Header.Get("Content-Type"), "application/json").with("Accept", "application/json")
	}
	if coding := r.Header.Values("Content-Encoding"); len(coding) > 0 && !strings.EqualFold(coding[0], "identity") || len(coding) > 1 {
		return nil, wrong(http.StatusUnsupportedMediaType, "the header Content-Encoding", strings.Join(coding, ", "), "absent or identity").with("Accept-Encoding", "identity")
	}
	found := map[string][]byte{}
	unknown := ""
	err = strictjson.Parse(body, func(name []byte, value strictjson.Value) error {
		if !slices.Contains(names, string(name)) {
			unknown = strictjson.Shorten(string(name))
		}
		found[string(name)] = value.Raw()
		return nil
	})
	switch {
	case err != nil:
		return nil, problem(http.StatusBadRequest, "This cannot be asked", "the body is not one plain JSON object: %v", err)
	case unknown != "" || len(found) > len(names):
		return nil, problem(http.StatusUnprocessableEntity, "This cannot be asked", "there is no field %q here; the body takes %s", unknown, orNone(names))
	}
	return found, nil
}

// accepts refuses a client that does not take JSON.
func accepts(header http.Header) *Problem {
	values := header.Values("Accept")
	if len(values) == 0 {
		return nil
	}
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		media, parameters, err := mime.ParseMediaType(strings.TrimSpace(part))
		if quality, _ := strconv.ParseFloat(parameters["q"], 64); err != nil || parameters["q"] != "" && quality == 0 {
			continue
		}
		if slices.Contains([]string{"*/*", "application/*", "application/json", "application/problem+json"}, media) {
			return nil
		}
	}
	return wrong(http.StatusNotAcceptable, "the header Accept", strings.Join(values, ", "), "one that takes application/json")
}

// wait is how long the client wants to wait for an outcome, by Prefer (RFC 7240); 0: not at all.
// What cannot be read is no preference, and the first one counts.
func wait(header http.Header) time.Duration {
	for part := range strings.SplitSeq(strings.Join(header.Values("Prefer"), ","), ",") {
		name, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		value, _, _ = strings.Cut(value, ";")
		seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
		if err != nil {
			return 0
		}
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	return 0
}

const maxKey = 255

// idempotencyKey is the client's; empty where it has none.
func idempotencyKey(header http.Header) (string, *Problem) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := strings.Join(values, ", ")
	visible := func(r rune) bool { return r >= ' ' && r <= '~' }
	if len(values) > 1 || key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return !visible(r) }) {
		return "", wrong(http.StatusBadRequest, "the header Idempotency-Key", key, fmt.Sprintf("there once, with 1 to %d characters of ASCII", maxKey))
	}
	return key, nil
}
