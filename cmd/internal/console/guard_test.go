package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
	"allocation/cmd/internal/web"
	"allocation/store"
)

// guarded is a console with one page of its own, /thing, which reads no server.
func guarded(t *testing.T, read func(context.Context, *Request) (*Answer, error), adjust func(*Options)) *Console {
	t.Helper()
	o := Options{
		Program: &cli.Program{Name: "demo", Err: io.Discard, Service: store.Service{TypePrefix: "demo.v1."}, Vocabulary: config.Vocabulary{Entity: "counter"}},
		Kafka:   config.Kafka{Brokers: "127.0.0.1:1", SecurityProtocol: "PLAINTEXT"}, Events: config.Events{EventsTopic: "demo.events"},
		Product: Product{
			Words: explain.Words{}, KeyPage: "/thing",
			Files: fstest.MapFS{"thing.html": {Data: []byte(`{{define "main"}}<p>{{text .Data}}</p><a href="{{link "/thing" "id" .Data}}">it</a>{{end}}`)}},
			Pages: func(*Console) []Page { return []Page{{Path: "/thing", Nav: "Thing", File: "thing.html", Read: read}} },
		},
		Payloads: PayloadsFull, Logger: slog.New(slog.DiscardHandler),
	}
	if adjust != nil {
		adjust(&o)
	}
	c, err := New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func named(_ context.Context, r *Request) (*Answer, error) {
	return &Answer{Title: "Thing", Data: r.Text("id")}, r.Err()
}

// ask is one request. Names and values of headers follow the path.
func (c *Console) ask(t *testing.T, method, host, path, body string, headers ...string) *answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Host = host
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return &answer{w.Code, w.Header(), w.Body.String(), (&http.Response{Header: w.Header()}).Cookies()}
}

// answer is what came.
type answer struct {
	status  int
	header  http.Header
	body    string
	cookies []*http.Cookie
}

// A page of another site must not read this one by a name that leads here.
func TestGuard_knowsItsHosts(t *testing.T) {
	t.Parallel()
	c := guarded(t, named, func(o *Options) { o.Hosts = []string{"console.example.com"} })
	for host, status := range map[string]int{
		"127.0.0.1:8090": 200, "localhost": 200, "LOCALHOST:1": 200, "[::1]:8090": 200, "10.0.0.7:8090": 200, "console.example.com": 200, "Console.Example.com:443": 200,
		"evil.example": 421, "evil.example:8090": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "": 421, "console.example.com.evil.example": 421,
	} {
		for _, path := range []string{"/thing?id=x", "/api/v1/thing?id=x", "/static/console.css", "/sign-in", "/nothing"} {
			a := c.ask(t, http.MethodGet, host, path, "")
			if status == http.StatusMisdirectedRequest {
				require.Equal(t, status, a.status, "%q %s", host, path)
			} else {
				require.NotEqual(t, http.StatusMisdirectedRequest, a.status, "%q %s", host, path)
			}
		}
	}
}

// Every answer forbids what a page does not need.
func TestGuard_hasItsPolicyEverywhere(t *testing.T) {
	t.Parallel()
	c := guarded(t, named, func(o *Options) { o.Token = "a token of a console" })
	for _, path := range []string{"/thing?id=x", "/api/v1/thing", "/static/console.css", "/static/none", "/sign-in", "/nothing", "/search?q=x", "/%00", "/events/stream"} {
		a := c.ask(t, http.MethodGet, "localhost", path, "")
		require.Equal(t, web.Policy, a.header.Get("Content-Security-Policy"), path)
		require.NotContains(t, web.Policy, "unsafe")
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	}
	page := c.ask(t, http.MethodGet, "localhost", "/thing?id="+url.QueryEscape(`"><script>alert(1)</script>`), "", "Authorization", "Bearer a token of a console").body
	require.Contains(t, page, "&#34;&gt;&lt;script&gt;")
	require.NotContains(t, page, "<script>")
	require.NotRegexp(t, `(?i) on[a-z]+=|style=`, page)
}

func TestSignIn_opensByTheTokenOnly(t *testing.T) {
	t.Parallel()
	const token = "a token of a console"
	c := guarded(t, named, func(o *Options) { o.Token, o.Prefix = token, "/stock" })
	a := c.ask(t, http.MethodGet, "localhost", "/stock/thing?id=a%26b", "")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/stock/sign-in?next=%2Fthing%3Fid%3Da%2526b", a.header.Get("Location"))
	a = c.ask(t, http.MethodGet, "localhost", "/stock/api/v1/thing", "")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Equal(t, "Bearer", a.header.Get("WWW-Authenticate"))
	for _, bearer := range []string{"Bearer " + token, "Bearer another token", "bearer " + token, "Basic " + token, "Bearer "} {
		want := http.StatusUnauthorized
		if strings.EqualFold(bearer, "Bearer "+token) {
			want = http.StatusOK
		}
		require.Equal(t, want, c.ask(t, http.MethodGet, "localhost", "/stock/api/v1/thing", "", "Authorization", bearer).status, bearer)
	}

	form := func(token, next string, headers ...string) *answer {
		return c.ask(t, http.MethodPost, "localhost", "/stock/sign-in", url.Values{"token": {token}, "next": {next}}.Encode(), headers...)
	}
	a = form("another token", "/thing")
	require.Equal(t, http.StatusForbidden, a.status)
	require.Empty(t, a.cookies)
	require.Equal(t, http.StatusForbidden, form(token, "/thing", "Sec-Fetch-Site", "cross-site").status, "from a page of another site")
	a = form(token+"\n", "/thing?id=a%26b")
	require.Equal(t, "/stock/thing?id=a%26b", a.header.Get("Location"))
	proof := a.cookies[0]
	require.True(t, proof.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, proof.SameSite)
	require.Equal(t, "/stock/", proof.Path)
	require.NotContains(t, proof.Value, token)
	require.Zero(t, proof.MaxAge)
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodGet, "localhost", "/stock/thing", "", "Cookie", "console="+proof.Value).status)
	other := guarded(t, named, func(o *Options) { o.Token, o.Prefix = token, "/stock" })
	require.Equal(t, http.StatusSeeOther, other.ask(t, http.MethodGet, "localhost", "/stock/thing", "", "Cookie", "console="+proof.Value).status, "a proof is for one process")

	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, `\\evil.example`, "evil.example", "javascript:alert(1)", "/\t/evil.example", "/../x", "", "%"} {
		require.Equal(t, "/stock/", form(token, next).header.Get("Location"), next)
	}
}

// Who guesses tokens is seen in the log, which they cannot fill.
func TestSignIn_logsWrongTokens(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := guarded(t, named, func(o *Options) {
		o.Token, o.Logger = "a token of a console", slog.New(slog.NewTextHandler(&log, nil))
	})
	began := time.Now()
	for range 100 {
		c.ask(t, http.MethodGet, "localhost", "/api/v1/thing", "", "Authorization", "Bearer a guess")
		c.ask(t, http.MethodPost, "localhost", "/sign-in", "token=a+guess")
	}
	lines := strings.Count(log.String(), "a wrong token was sent")
	require.Positive(t, lines)
	require.LessOrEqual(t, lines, int(time.Since(began)/time.Second)+2)
	require.Contains(t, log.String(), "from=192.0.2.1:1234")
	require.NotContains(t, log.String(), "a guess")
	require.EqualValues(t, 200, c.door.Wrong())
}

// deadlined remembers until when it may be written.
type deadlined struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (d *deadlined) SetWriteDeadline(until time.Time) error {
	d.until = until
	return nil
}

// A browser that does not take its page keeps one of the few places for a short time only.
func TestGuard_endsSlowReaders(t *testing.T) {
	t.Parallel()
	w := &deadlined{ResponseRecorder: httptest.NewRecorder()}
	guarded(t, named, nil).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/thing", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.WithinDuration(t, time.Now().Add(2*PageTime), w.until, PageTime)
}

// Where a proxy has other things beside the console, each link leads to the console.
func TestPrefix_isInEachLink(t *testing.T) {
	t.Parallel()
	c := guarded(t, named, func(o *Options) { o.Prefix = "/stock" })
	page := c.ask(t, http.MethodGet, "localhost", "/stock/thing?id=x", "").body
	links := regexp.MustCompile(` (?:href|src|action|hx-get)="([^"#]+)"`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(links), 8)
	for _, link := range links {
		require.True(t, strings.HasPrefix(link[1], "/stock/"), link[1])
	}
	require.Equal(t, "/stock/", c.ask(t, http.MethodGet, "localhost", "/stock", "").header.Get("Location"))
	require.Equal(t, http.StatusNotFound, c.ask(t, http.MethodGet, "localhost", "/thing", "").status)
}

// So many pages are read at once. Others are told to ask again.
func TestGuard_boundsWhatIsReadAtOnce(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}), make(chan struct{})
	c := guarded(t, func(context.Context, *Request) (*Answer, error) {
		began <- struct{}{}
		<-end
		return &Answer{Title: "Thing", Data: ""}, nil
	}, nil)
	ended := make(chan int)
	for range maxRunning {
		go func() { ended <- c.ask(t, http.MethodGet, "localhost", "/thing", "").status }()
		<-began
	}
	a := c.ask(t, http.MethodGet, "localhost", "/api/v1/thing", "")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Contains(t, a.body, "ask again")
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodGet, "localhost", "/static/console.css", "").status)
	close(end)
	for range maxRunning {
		require.Equal(t, http.StatusOK, <-ended)
	}
}

// A slip in the name of a parameter is said: it would show more than was meant.
func TestRequest_refusesParametersThatNobodyReads(t *testing.T) {
	t.Parallel()
	c := guarded(t, named, nil)
	a := c.ask(t, http.MethodGet, "localhost", "/api/v1/thing?id=x&skuu=y&limi=2", "")
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Contains(t, a.body, `there is no parameter \"limi\", \"skuu\" here; this takes id`)
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodGet, "localhost", "/api/v1/thing?id=x", "").status)
}

// Who has no token sends no more than a form, by no other method.
func TestSignIn_readsNoLargeBody(t *testing.T) {
	t.Parallel()
	c := guarded(t, named, func(o *Options) { o.Token = "a token of a console" })
	require.Equal(t, http.StatusMethodNotAllowed, c.ask(t, http.MethodPut, "localhost", "/sign-in", "token=x").status)
	require.NotContains(t, c.ask(t, http.MethodGet, "localhost", "/sign-in", "next=/thing").body, "/thing", "a body of GET is not read")
	require.Equal(t, http.StatusForbidden, c.ask(t, http.MethodPost, "localhost", "/sign-in", "token="+strings.Repeat("x", 2*web.MaxForm)).status)
}

// Who may not read learns nothing of where the console reads.
func TestGuard_namesNoDatabaseToStrangers(t *testing.T) {
	t.Parallel()
	c := guarded(t, named, func(o *Options) { o.Where, o.Token = "db.internal:5432/shop", "a token of a console" })
	require.NotContains(t, c.ask(t, http.MethodGet, "localhost", "/sign-in", "").body, "db.internal")
	require.NotContains(t, c.ask(t, http.MethodGet, "evil.example", "/thing", "", "Authorization", "Bearer a token of a console").body, "db.internal")
	require.Contains(t, c.ask(t, http.MethodGet, "localhost", "/thing", "", "Authorization", "Bearer a token of a console").body, "db.internal")
}

// A name that would be shown as another is not shown as it is, in titles either.
func TestPage_titlesArePrintable(t *testing.T) {
	t.Parallel()
	c := guarded(t, func(context.Context, *Request) (*Answer, error) {
		return &Answer{Title: "Thing \u202egnp", Data: ""}, nil
	}, nil)
	require.NotContains(t, c.ask(t, http.MethodGet, "localhost", "/thing", "").body, "\u202e")
}

// Files have places of their own: readers who take nothing keep nobody from a page.
func TestDownload_keepsNobodyFromPages(t *testing.T) {
	t.Parallel()
	began, end := make(chan struct{}), make(chan struct{})
	c := guarded(t, named, func(o *Options) {
		o.Product.Downloads = func(*Console) []Download {
			return []Download{{"/file", func(context.Context, *Request) (*File, error) {
				return &File{"file.json", func(_ context.Context, out io.Writer) error {
					began <- struct{}{}
					<-end
					_, err := io.WriteString(out, "{}")
					return err
				}}, nil
			}}}
		}
	})
	ended := make(chan string)
	for range maxWriting {
		go func() { ended <- c.ask(t, http.MethodGet, "localhost", "/api/v1/file", "").body }()
		<-began
	}
	require.Equal(t, http.StatusServiceUnavailable, c.ask(t, http.MethodGet, "localhost", "/api/v1/file", "").status)
	require.Equal(t, http.StatusOK, c.ask(t, http.MethodGet, "localhost", "/thing", "").status)
	close(end)
	for range maxWriting {
		require.Equal(t, "{}", <-ended)
	}
}
