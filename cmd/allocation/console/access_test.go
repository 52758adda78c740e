package console_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/console"
	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	engine "allocation/cmd/internal/console"
	"allocation/cmd/internal/service"
	"allocation/cmd/internal/web"
	"allocation/deploy/testbed"
	"allocation/store"
)

// Where other machines reach it, it starts with a token only.
func TestConsole_othersNeedItsToken(t *testing.T) {
	t.Parallel()
	short, empty := filepath.Join(t.TempDir(), "short"), filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(short, []byte("fifteen letters\n"), 0o600))
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "10.0.0.7:0", "console.example.com:0", "localhost.example.com:0"} {
		programtest.Run(t, "console", "--console-addr="+addr).RequireMisuse(t, "which other machines reach", "--console-token-file")
		require.False(t, web.IsLoopback(addr))
	}
	programtest.Run(t, "console", "--console-addr=0.0.0.0:0", "--console-token-file="+short).RequireMisuse(t, "the token has 15 characters; it must have 16 or more")
	programtest.Run(t, "console", "--console-addr=0.0.0.0:0", "--console-token-file="+empty).RequireMisuse(t, "--console-token-file")
	programtest.Run(t, "console", "--console-addr=0.0.0.0:0", "--console-token-file="+empty+".none").RequireMisuse(t, "--console-token-file")
	for _, addr := range []string{"127.0.0.1:0", "127.9.9.9:8090", "[::1]:0", "localhost:0"} {
		require.True(t, web.IsLoopback(addr), addr)
	}
}

// The operator's role has all the rights that its pages need, and no page can write with them.
func TestConsole_readsAsTheOperator(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=40")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	letter := s.AwaitLetters(1)[0]
	name, login := programtest.NewLogin(t, s.DatabaseURL())
	s.Execute("grant allocation_operator to " + name)
	programtest.UseDatabase(t, login)

	product, p := console.Product(), program.New(strings.NewReader(""), nil, nil, service.Hooks{})
	pages := product.Pages
	product.Pages = func(c *engine.Console) []engine.Page {
		return append(pages(c), engine.Page{Path: "/discard", File: "order.html", Read: func(ctx context.Context, _ *engine.Request) (*engine.Answer, error) {
			_, err := c.Store.Decide(ctx, store.Decision{IDs: []store.RecordID{letter.ID}, Discard: true})
			return nil, err
		}})
	}
	p.Grammar = &struct {
		Console engine.Command `cmd:""`
	}{engine.Command{Product: product}}
	url := programtest.StartConsoleOf(t, p, "--kafka-brokers="+testbed.Kafka(t), "--events-topic="+s.Names.Events)

	_, status := ask(t, url+"/")
	links := regexp.MustCompile(`<a [^>]*href="(/[^"]*)"`).FindAllStringSubmatch(status, -1)
	require.Greater(t, len(links), 10)
	for _, link := range []string{"/order?id=o2", "/product?id=CHAIR", "/batch?id=b1", "/letter?id=" + letter.ID.String(), "/command?id=" + letter.ID.String() + "&from_topic=1", "/try?commands=Deallocate+orderid%3Do1+sku%3DCHAIR"} {
		links = append(links, []string{"", link})
	}
	for _, link := range links {
		status, page := ask(t, url+html.UnescapeString(link[1]))
		require.Equal(t, http.StatusOK, status, "%s: %s", link[1], text(page))
	}
	code, page := ask(t, url+"/discard")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, text(page), "cannot execute")
	require.Contains(t, text(page), "in a read-only transaction")
	require.Len(t, s.AwaitLetters(1), 1)
}

// A page that the database does not answer says so, and so does its JSON.
func TestConsole_waitsOnlySoLong(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fill()
	locks := testbed.Connect(t, s.DatabaseURL())
	_, err := locks.Exec(t.Context(), `begin; lock table allocation.products in access exclusive mode`)
	require.NoError(t, err)
	twin := make(chan string)
	go func() {
		status, body := s.follow("/api/v1/product?id=CHAIR")
		twin <- http.StatusText(status) + " " + body
	}()
	status, page := s.follow("/product?id=CHAIR")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, text(page), "This took too long the database did not answer within 5s, and the console waits no longer")
	body := <-twin
	require.Contains(t, body, `Service Unavailable {"detail":"the database did not answer within 5s`)
	_, err = locks.Exec(t.Context(), `rollback`)
	require.NoError(t, err)
	require.Contains(t, text(s.page("/product", "id", "CHAIR")), "Product CHAIR", "it holds up nobody after it")
}

func ask(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(content)
}
