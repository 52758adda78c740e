package browser

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
	"allocation/store"
)

// site is a console whose service has something of everything.
type site struct {
	*programtest.Service
	url     string
	letters []store.Letter
}

// What is called so must be shown as it is, and do nothing.
const (
	markup  = `<script>alert(1)</script>`
	quotes  = `"'><img src=x onerror=alert(1)>`
	reverse = "\u202egnp.exe\u202c طلب"
)

var long = strings.Repeat("long-", 51)

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{Service: programtest.StartService(t)}
	s.fill()
	s.url = s.StartConsole()
	return s
}

// fill makes a product with stock and lines that wait, one that is held, ones with odd names, and
// dead letters.
func (s *site) fill() {
	s.T.Helper()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=cmd-o1", "--correlation-id=checkout-77")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25")
	s.Send("Allocate", "orderid=o3", "sku=CHAIR", "qty=60")
	s.Send("Allocate", "orderid=o4", "sku=CHAIR", "qty=5", "lineid=first")
	s.Send("Dispatch", "orderid=o4", "sku=CHAIR", "lineid=first")
	for _, name := range []string{markup, quotes, reverse, long} {
		s.Send("CreateBatch", "ref="+name, "sku="+name, "qty=5")
		s.Send("Allocate", "orderid="+name, "sku="+name, "qty=4", "lineid="+name, "--id="+name, "--correlation-id="+name)
		s.Send("Allocate", "orderid=waits", "sku="+name, "qty=4")
		s.Send("Allocate", "orderid="+name, "sku=none", "qty=4")
	}
	s.Poison()
	s.Send("CreateBatch", "ref=t1", "sku=TABLE", "qty=5")
	s.Send("Allocate", "orderid=poison", "sku=TABLE", "qty=1")
	s.Send("Allocate", "orderid=behind", "sku=TABLE", "qty=1")
	for _, value := range []string{"\x00\x1b[31m \x07{", `{"orderid":"` + markup + `","sku":"CHAIR"}`, long + long} {
		s.Produce(&kgo.Record{Key: []byte("CHAIR"), Value: []byte(value), Headers: []kgo.RecordHeader{
			{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}, {Key: "ce_" + markup, Value: []byte(quotes)}, {Key: "odd", Value: []byte{0, 0xff, 27}},
		}})
	}
	s.letters = s.AwaitLetters(8)
	conn := testbed.Connect(s.T, s.DatabaseURL())
	testbed.Eventually(s.T, func() bool {
		var waiting, unpublished int
		err := conn.QueryRow(s.T.Context(), `select (select count(*) from held_commands), (select sum(next_row - published_row) from positions)`).Scan(&waiting, &unpublished)
		return err == nil && waiting > 0 && unpublished == 0
	}, "a command waits behind the held product, and all events are published")
}

// seeds are pages about what has odd names, or is in an odd state. Other pages are found by links.
func (s *site) seeds() []string {
	seeds := []string{"/", "/order?id=o3", "/product?id=CHAIR", "/product?id=TABLE", "/order?id=nobody"}
	for i := range s.letters {
		seeds = append(seeds, "/letter?id="+url.QueryEscape(s.letters[i].ID.String()))
	}
	for _, name := range []string{markup, quotes, reverse, long} {
		for _, page := range []string{"/order", "/product", "/batch", "/command"} {
			seeds = append(seeds, page+"?id="+url.QueryEscape(name))
		}
	}
	return seeds
}

// get asks for a link of a page, without a browser.
func (s *site) get(link string) (status int, content string) {
	s.T.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+link, nil)
	require.NoError(s.T, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(s.T, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(s.T, err)
	return answer.StatusCode, string(body)
}

var href = regexp.MustCompile(` (?:href|src|action)="([^"]*)"`)

// links are where a page's links lead, forms and files included.
func links(page string) (all []string) {
	for _, found := range href.FindAllStringSubmatch(page, -1) {
		link, _, _ := strings.Cut(html.UnescapeString(found[1]), "#")
		if link != "" {
			all = append(all, link)
		}
	}
	return all
}
