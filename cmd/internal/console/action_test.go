package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/console"
	"allocation/deploy/testbed"
)

// A service may add a section to the front page, and buttons that do something. One without them
// takes no forms.
func TestConsole_sectionAndActions(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	var pressed []string
	with := openSite(t, s, testbed.Kafka(t), func(o *console.Options) {
		o.Product = console.Product{
			Words: o.Product.Words,
			Files: fstest.MapFS{"more.html": {Data: []byte(`{{define "section"}}<p>The word is {{text .Word}}.</p>{{end}}`)}},
			Section: &console.Section{File: "more.html", Read: func(context.Context, *console.Console) (any, error) {
				return map[string]string{"Word": "<b>"}, nil
			}},
			Actions: []console.Action{{Path: "/press", Do: func(ctx context.Context, r *console.Request) (string, error) {
				ends, limited := ctx.Deadline()
				require.True(t, limited && time.Until(ends) <= console.PageTime, "it ends like a page")
				button := r.OneOf("button", "", "red")
				if err := r.Err(); err != nil {
					return "", err
				}
				pressed = append(pressed, button)
				return "/#" + button, nil
			}}},
		}
	})
	page := with.ask(http.StatusOK, "/")
	require.Contains(t, page, "<p>The word is &lt;b&gt;.</p>")
	require.Contains(t, page, "reads only, but for the buttons")
	require.Contains(t, with.ask(http.StatusOK, "/api/v1/status"), `"section":{"Word":"<b>"}`)

	answer := with.post("/press", "button=red")
	require.Equal(t, http.StatusSeeOther, answer.Code)
	require.Equal(t, "/#red", answer.Header().Get("Location"))
	require.Equal(t, http.StatusBadRequest, with.post("/press", "button=blue").Code)
	require.Equal(t, http.StatusBadRequest, with.post("/press", "button=red&x="+strings.Repeat("x", 9000)).Code)
	require.Equal(t, http.StatusForbidden, with.post("/press", "button=red", "Origin", "http://evil.example").Code)
	require.Equal(t, http.StatusForbidden, with.post("/press", "button=red", "Sec-Fetch-Site", "cross-site").Code)
	require.Equal(t, []string{"red"}, pressed)
	with.ask(http.StatusNotFound, "/press")

	without := openSite(t, s, testbed.Kafka(t))
	page = without.ask(http.StatusOK, "/")
	require.Contains(t, page, "This console reads only. What")
	require.NotContains(t, without.ask(http.StatusOK, "/api/v1/status"), "section")
	require.Equal(t, http.StatusNotFound, without.post("/press", "button=red").Code)
}

// post sends a form, with headers: names and values in turn.
func (s site) post(path, form string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	request := httptest.NewRequestWithContext(s.t.Context(), "POST", "http://localhost"+path, io.NopCloser(strings.NewReader(form)))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	return answer
}
