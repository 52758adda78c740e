package console_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	product "allocation/cmd/allocation/console"
	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/service"
	"allocation/store"
	"allocation/store/products"
)

// site is a console of a service's servers.
type site struct {
	*console.Console
	t *testing.T
}

// openSite opens a console on a service's database, and on Kafka at an address.
func openSite(t *testing.T, s *programtest.Service, brokers string, adjust ...func(*console.Options)) site {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: s.DatabaseURL(), Service: products.Service, Adjust: console.Adjust})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	options := console.Options{
		Program: program.New(strings.NewReader(""), io.Discard, io.Discard, service.Hooks{}), Store: db, Product: product.Product(),
		Kafka: config.Kafka{Brokers: brokers, SecurityProtocol: "PLAINTEXT"}, Events: config.Events{EventsTopic: s.Names.Events},
		Payloads: console.PayloadsFull, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, change := range adjust {
		change(&options)
	}
	c, err := console.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return site{c, t}
}

// ask asks for a page with parameters, names and values in turn, and requires a status.
func (s site) ask(status int, path string, parameters ...string) string {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequestWithContext(s.t.Context(), "GET", "http://localhost"+path+"?"+values.Encode(), nil))
	require.Equal(s.t, status, answer.Code, answer.Body.String())
	return answer.Body.String()
}

// shows requires that a page says all of this.
func (s site) shows(page string, says ...string) {
	s.t.Helper()
	for _, text := range says {
		require.Contains(s.t, page, text)
	}
}

// twin reads a page's JSON.
func twin[T any](s site, path string, parameters ...string) (v T) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.ask(200, "/api/v1"+path, parameters...)), &v))
	return v
}
