package console_test

import (
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/console"
	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	engine "allocation/cmd/internal/console"
	"allocation/cmd/internal/operate/try"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/migrations"
	"allocation/store"
	"allocation/store/products"
)

// site is a console of a service.
type site struct {
	t *testing.T
	*programtest.Service
	server *httptest.Server
}

func open(t *testing.T) *site {
	t.Helper()
	return openOn(t, programtest.StartService(t))
}

func openOn(t *testing.T, s *programtest.Service) *site {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Service: products.Service, URL: s.DatabaseURL(), Schema: migrations.DefaultSchema, Adjust: engine.Adjust})
	require.NoError(t, err)
	settings := s.Settings()
	c, err := engine.New(t.Context(), engine.Options{
		Program: program.New(strings.NewReader(""), io.Discard, io.Discard, service.Hooks{}), Store: db, Kafka: settings.Kafka, Events: settings.Topics.Events,
		Product: console.Product(), Payloads: engine.PayloadsFull, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	server := httptest.NewServer(c)
	t.Cleanup(func() {
		server.Close()
		c.Close()
		db.Close()
	})
	return &site{t, s, server}
}

// get asks for a path, with names and values of parameters.
func (s *site) get(path string, parameters ...string) (status int, body string) {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return s.follow(path + "?" + values.Encode())
}

func (s *site) follow(link string) (status int, body string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+link, nil)
	require.NoError(s.t, err)
	answer, err := s.server.Client().Do(request)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer.StatusCode, string(text)
}

// page is a page that must be there. It has no markup but ours.
func (s *site) page(path string, parameters ...string) string {
	s.t.Helper()
	status, body := s.get(path, parameters...)
	require.Equal(s.t, http.StatusOK, status, body)
	require.NotContains(s.t, body, "<script>")
	return body
}

// text is what people read of a page, or of a row of it.
func text(page string) string {
	page = regexp.MustCompile(`(?s)<header>.*</header>|<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(html.UnescapeString(page)), " ")
}

// rows are the rows of a page's tables.
func rows(page string) (all []string) {
	for _, row := range regexp.MustCompile(`(?s)<tr>(.*?)</tr>`).FindAllString(page, -1) {
		if !strings.Contains(row, `scope="col"`) {
			all = append(all, text(row))
		}
	}
	return all
}

// link is where the link of a page goes that has this text.
func (s *site) link(page, says string) string {
	s.t.Helper()
	found := regexp.MustCompile(`<a [^>]*href="([^"]*)"[^>]*>` + regexp.QuoteMeta(says) + `</a>`).FindStringSubmatch(page)
	require.NotNil(s.t, found, "no link %q in %s", says, page)
	return html.UnescapeString(found[1])
}

// twin is the JSON of a page.
func twin[T any](s *site, path string, parameters ...string) (value T) {
	s.t.Helper()
	status, body := s.get("/api/v1"+path, parameters...)
	require.Equal(s.t, http.StatusOK, status, body)
	require.NoError(s.t, json.Unmarshal([]byte(body), &value), body)
	return value
}

// listed is the JSON of a list.
type listed[T any] struct {
	Rows   []T              `json:"rows"`
	Totals map[string]int64 `json:"totals"`
	After  string           `json:"after"`
}

const oddSKU, oddRef, oddOrder = `a/b '"<script>alert(1)</script>`, `é/漢 "<script>'`, `o&<script>/'"`

// fill makes two products with stock and lines that wait, and one with odd names.
func (s *site) fill() {
	s.t.Helper()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=60")
	s.Send("CreateBatch", "ref="+oddRef, "sku="+oddSKU, "qty=5")
	s.Send("Allocate", "orderid="+oddOrder, "sku="+oddSKU, "qty=5", "lineid=l 1")
	s.AwaitAtRest(6)
}

func TestLists(t *testing.T) {
	t.Parallel()
	s := open(t)
	for path, says := range map[string]string{"/products": "no products", "/batches": "no batches", "/lines": "no lines", "/orders": "no orders"} {
		require.Contains(t, text(s.page(path)), "On this page: "+says+".")
		status, body := s.get("/api/v1" + path)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `{"rows":[],"totals":{`)
	}
	s.fill()

	page := s.page("/products")
	require.Equal(t, []string{"CHAIR 1 60 30 50 2 4", oddSKU + " 0 0 0 0 1 2"}, rows(page))
	require.Contains(t, text(page), "On this page: 2 products, 30 free now, 50 free later, 1 waiting line.")
	require.Equal(t, []string{"o2 CHAIR 60"}, shorten(rows(s.follows(s.link(page, "60")))), "the lines behind the number")
	require.Equal(t, []string{"b1 CHAIR in the warehouse 50 20 30"}, rows(s.follows(s.link(page, "30"))), "the batches behind free now")
	require.Equal(t, []string{"b2 CHAIR due 2030-01-01 50 0 50"}, rows(s.follows(s.link(page, "50"))), "the batches behind free later")
	require.Contains(t, s.follows(s.link(page, html.EscapeString(oddSKU))), "<h1>Product "+html.EscapeString(oddSKU)+"</h1>")

	page = s.page("/batches", "sku", oddSKU, "free", "0")
	require.Equal(t, []string{oddRef + " " + oddSKU + " in the warehouse 5 5 0"}, rows(page))
	require.Contains(t, s.follows(s.link(page, html.EscapeString(oddRef))), "<h1>Batch "+html.EscapeString(oddRef)+"</h1>")
	require.Contains(t, text(page), `allocation list batches '--sku=a/b '\''"<script>alert(1)</script>'`)

	page = s.page("/lines", "batch", oddRef)
	require.Equal(t, []string{oddOrder + " l 1 " + oddSKU + " 5"}, shorten(rows(page)))
	require.Contains(t, s.follows(s.link(page, html.EscapeString(oddOrder))), "<h1>Order "+html.EscapeString(oddOrder)+"</h1>")
	require.Len(t, rows(s.page("/lines", "state", "allocated")), 2)
	require.Empty(t, rows(s.page("/lines", "older-than", "2d")))

	require.Len(t, rows(s.page("/orders")), 3)
	require.Len(t, rows(s.page("/orders", "waiting", "1", "prefix", "o")), 1)
}

func (s *site) follows(link string) string {
	s.t.Helper()
	status, body := s.follow(link)
	require.Equal(s.t, http.StatusOK, status, body)
	return body
}

// shorten leaves out when a line was placed.
func shorten(rows []string) []string {
	for i := range rows {
		rows[i] = regexp.MustCompile(` 20\d\d-\d\d-\d\d .*`).ReplaceAllString(rows[i], "")
	}
	return rows
}

func TestLists_goOnAfterAPage(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fill()
	for path, want := range map[string]int{"/products": 2, "/batches": 3, "/lines": 1, "/orders": 3} {
		page, found := s.page(path, "limit", "1"), 0
		first := rows(page)
		after := ""
		for {
			found += len(rows(page))
			list := twin[listed[json.RawMessage]](s, path, "limit", "1", "after", after)
			require.Len(t, list.Rows, 1, path)
			require.NotEmpty(t, list.Totals)
			if after = list.After; after == "" {
				break
			}
			page = s.follows(s.link(page, "Next page"))
			require.Equal(t, shorten(first), shorten(rows(s.follows(s.link(page, "First page")))))
			require.Contains(t, page, "--after=", "its command")
		}
		require.Equal(t, want, found, path)
		require.NotContains(t, page, "Next page")
	}
}

func TestPages_wrongParameters(t *testing.T) {
	t.Parallel()
	s := open(t)
	for link, says := range map[string]string{
		"/products?limit=0":                        "limit is \"0\"",
		"/products?free=maybe":                     "free is \"maybe\"; it must be one of 0, 1",
		"/batches?sku=a&sku-prefix=b":              "sku-prefix is \"b\"; it must be left out where sku is given",
		"/batches?due-before=soon":                 "due-before is \"soon\"; it must be a date such as 2030-01-31",
		"/batches?due-before=2030-01-01&arrived=1": "it must be left out where arrived is given",
		"/lines?after=x":                           "after is \"x\"; it must be as the page before has it",
		"/lines?state=gone":                        "state is \"gone\"",
		"/lines?batch=b1&state=waiting":            "a line that waits has no batch",
		"/lines?older-than=x":                      "older-than is \"x\"",
		"/orders?prefix=%ff":                       "text in UTF-8",
		"/product?id=%00":                          "text in UTF-8",
		"/batch":                                   "id is not set",
		"/try?commands=Allocat":                    "line 1 of commands: there is no command \"Allocat\"",
		"/try?commands=%0AAllocate+sku%3D%27a":     "line 2 of commands: a quote ' is not closed",
		"/try?limit=x":                             "limit is \"x\"",
		"/try?commands=" + strings.Repeat("Allocate+orderid%3Do1+sku%3DA+qty%3D1%0A", 21): "commands has 21; a page tries at most 20",
	} {
		status, body := s.follow(link)
		require.Equal(t, http.StatusBadRequest, status, link)
		require.Contains(t, text(body), says, link)
		status, body = s.follow("/api/v1" + link)
		require.Equal(t, http.StatusBadRequest, status, link)
		var problem struct{ Detail string }
		require.NoError(t, json.Unmarshal([]byte(body), &problem))
		require.Contains(t, problem.Detail, says, link)
	}
	_, body := s.get("/try", "commands", "Allocat <b>")
	require.Contains(t, body, ">Allocat &lt;b&gt;</textarea>", "what was typed is still there")
	for _, link := range []string{"/batch?id=nope", "/product?id=nope", "/order?id=nope", "/api/v1/batch?id=nope"} {
		status, body := s.follow(link)
		require.Equal(t, http.StatusNotFound, status, link)
		require.Contains(t, html.UnescapeString(body), "there is no", link)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fill()
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=10")
	s.AwaitAtRest(9)
	page := s.page("/batch", "id", "b2")
	require.Contains(t, text(page), "Of product CHAIR , due 2030-01-01. Quantity 50 Allocated 20 Available 30 Lines 1")
	require.Equal(t, []string{"o1 20"}, rows(page))
	require.Equal(t, []string{"o1 CHAIR 20"}, shorten(rows(s.follows("/lines?batch=b2"))))
	require.Contains(t, text(s.page("/batch", "id", "b1")), "batch b1 has 10 now it was 50 before 1 line left it, 1 line was allocated")

	story := twin[products.BatchStory](s, "/batch", "id", "b2")
	require.EqualValues(t, 30, story.Available)
	require.Len(t, story.Events, 1)

	page = s.page("/batch", "id", oddRef)
	require.Contains(t, text(page), `allocation try ChangeBatchQuantity 'batchref=é/漢 "<script>'\''' 'sku=a/b '\''"<script>alert(1)</script>' qty=0`)
	tried := s.follows(s.link(page, "Which orders lose their goods with this batch, and where would they go?"))
	require.Contains(t, text(tried), "would lead to 3 events: 1 BatchQuantityChanged, 1 Deallocated, 1 OutOfStock")
	require.NotContains(t, tried, "<script>")
	require.Contains(t, tried, `<p class="notice warn">1 line loses its batch, and waits afterwards</p>`)
	require.NotContains(t, tried, `class="notice good"`)
}

func TestTry(t *testing.T) {
	t.Parallel()
	s := open(t)
	require.Contains(t, text(s.page("/try")), "Allocate orderid sku qty lineid", "the types and their fields")
	require.JSONEq(t, `{"commands":[],"not_tried":0}`, func() string { _, body := s.get("/api/v1/try"); return body }())
	s.fill()
	commands := "ChangeBatchQuantity batchref=b1 sku=CHAIR qty=0\n\n" +
		`{"type":"Allocate","data":{"orderid":"n1","sku":"CHAIR","qty":7},"id":"cmd-1"}` + "\n" +
		`Allocate orderid='n 2' sku="NO ONE" qty=1` + "\nChangeBatchQuantity batchref=b2 qty=50"
	page := text(s.page("/try", "commands", commands))
	require.Contains(t, page, "ChangeBatchQuantity batchref=b1 qty=0 sku=CHAIR would lead to 3 events: 1 Allocated, 1 BatchQuantityChanged, 1 Deallocated")
	require.Contains(t, page, "order n1 gets 7 of batch b2")
	require.Contains(t, page, `would be refused: unknown_sku: the sku "NO ONE" has no batch yet`)
	require.Contains(t, page, "ChangeBatchQuantity batchref=b2 qty=50 would have no effect")
	require.Contains(t, page, "allocation try -f FILE")
	require.Contains(t, page, `{"type":"Allocate","data":{"orderid":"n 2","sku":"NO ONE","qty":1}}`)
	answers := twin[try.Answers](s, "/try", "commands", commands, "limit", "1")
	require.Len(t, answers.Commands, 4)
	require.EqualValues(t, 3, answers.Commands[0].Total)
	require.Len(t, answers.Commands[0].Events, 1)

	page = text(s.page("/try", "commands", `{"type":"Allocate","data":{"orderid":"n 1","sku":"CHAIR","qty":7,"lineid":null},"id":"cmd-1"}`, "limit", "2"))
	require.Contains(t, page, "allocation try Allocate 'orderid=n 1' sku=CHAIR qty=7 --id=cmd-1 --limit=2")
	require.Contains(t, page, "allocation send Allocate 'orderid=n 1' sku=CHAIR qty=7 --id=cmd-1")
	require.Equal(t, []int64{6}, programtest.Query[int64](t, s.DatabaseURL(), `select count(*) from allocation.outbox`), "nothing was done")
}

func TestPages_heldProduct(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	letter := s.AwaitLetters(1)[0].ID.String()
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50")
	says := "Product CHAIR is held The dead letter " + letter + " holds it since"
	s.awaitText("/batch?id=b2", "There is no such batch yet: the command that creates it waits behind the held product CHAIR")
	require.Equal(t, []string{"CHAIR held 0 0 50 0 1 1"}, rows(s.page("/products")))
	for _, link := range []string{"/product?id=CHAIR", "/batch?id=b1", "/batch?id=b2"} {
		require.Contains(t, text(s.follows(link)), says, link)
	}
	require.Contains(t, text(s.page("/product", "id", "CHAIR")), "1 command waits behind it")
	require.Contains(t, text(s.page("/try", "commands", "Allocate orderid=o1 sku=CHAIR qty=1")), "would wait behind the held product CHAIR: dead letter "+letter)
}

func TestOrderAndProduct_sayWhyALineWaits(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fill()
	require.Contains(t, text(s.page("/product", "id", "CHAIR")), "Now the most is 50 , on batch b2 (due 2030-01-01).")
	page := s.page("/order", "id", "o2")
	require.Contains(t, page, `<ul class="notice warn">`)
	require.Contains(t, text(page), "it needs 60 in one batch; the most available are 50 on b2 (due 2030-01-01), 30 on b1 (in the warehouse)")
	require.NotContains(t, s.page("/order", "id", "o1"), "notice warn")
}

// awaitText waits until a page says so.
func (s *site) awaitText(link, says string) {
	s.t.Helper()
	body := ""
	testbed.Eventually(s.t, func() bool {
		_, body = s.follow(link)
		return strings.Contains(text(body), says)
	}, "%s: %s", link, says)
}

// A page gives up what takes too long, and shows what was asked.
func TestTry_takesTooLong(t *testing.T) {
	t.Parallel()
	s := open(t)
	blocker, err := testbed.Connect(t, s.DatabaseURL()).Begin(t.Context())
	require.NoError(t, err)
	_, err = blocker.Exec(t.Context(), `lock table allocation.products, allocation.lines, allocation.batches in access exclusive mode`)
	require.NoError(t, err)
	began := time.Now()
	status, page := s.get("/try", "commands", "Allocate orderid=o1 sku=CHAIR qty=1")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, text(page), "this took longer than 5s, and the console waits no longer")
	require.Contains(t, text(page), "Allocate orderid=o1 sku=CHAIR qty=1")
	require.Less(t, time.Since(began), 2*engine.PageTime)
	require.NoError(t, blocker.Rollback(t.Context()))
	require.Contains(t, text(s.page("/try", "commands", "Allocate orderid=o1 sku=CHAIR qty=1")), "would be refused: unknown_sku", "it holds up nobody after it")
}
