package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

const waits = "wait=10"

// What a customer does through the API is done, and can be read.
func TestAPI_story(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	s.startWorker()
	c := s.startAPI()

	a := c.add("alice.1", "CHAIR", "Prefer", waits, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "applied", a.text("state"))
	require.Equal(t, waits, a.header.Get("Preference-Applied"))
	require.Contains(t, s.run("explain", "command", a.text("id")), "CartLineAdded order alice.1: line 1, 2 of CHAIR")
	require.Equal(t, 1, s.count(`select count(*) from outbox where type = 'CartLineAdded' and traceparent like '00-4bf92f3577b34da6a3ce929d0e0e4736-%' and correlation_id = 'alice.1'`))

	a = c.ask(http.MethodDelete, "/v1/carts/alice.1/lines/1?sku=CHAIR", "", "Prefer", waits)
	require.Equal(t, "applied", a.text("state"), a.body)
	a = c.place("alice.1", "Prefer", waits)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "cart_empty", a.text("reason"))
	a = c.place("alice.9", "Prefer", waits)
	require.Equal(t, http.StatusNotFound, a.status)
	require.Equal(t, "unknown_cart", a.text("reason"))
	for _, cart := range []string{"alice.2", "alice.3", "alice.4"} {
		require.Equal(t, http.StatusAccepted, c.add(cart, "CHAIR").status)
		require.Equal(t, "applied", c.place(cart, "Prefer", waits).text("state"))
	}
	a = c.ask(http.MethodPost, "/v1/orders/alice.2/cancellation", "", "Prefer", waits)
	require.Equal(t, "applied", a.text("state"), a.body)
	a = c.ask(http.MethodPost, "/v1/orders/alice.2/cancellation", "{}", "Prefer", waits)
	require.Equal(t, "no_effect", a.text("state"), a.body)

	a = c.ask(http.MethodGet, "/v1/customers/alice", "")
	require.JSONEq(t, `{"customerid":"alice","orders_placed":3,"vip":true,"orders":"/v1/customers/alice/orders"}`, a.body)
	var ids []string
	for next := "/v1/customers/alice/orders?limit=3"; next != ""; {
		a = c.ask(http.MethodGet, next, "")
		for _, o := range a.JSON["orders"].([]any) {
			ids = append(ids, o.(map[string]any)["orderid"].(string)+" "+o.(map[string]any)["state"].(string))
		}
		next = a.text("next")
		require.Equal(t, next != "", strings.Contains(a.header.Get("Link"), `rel="next"`))
	}
	require.Equal(t, []string{"alice.4 placed", "alice.3 placed", "alice.2 cancelled", "alice.1 cart"}, ids)
	a = c.ask(http.MethodGet, "/v1/orders/alice.1", "")
	require.JSONEq(t, `{"orderid":"alice.1","customerid":"alice","state":"cart","lines":[{"lineid":"1","sku":"CHAIR","qty":2,"state":"removed"}]}`, a.body)
	require.Equal(t, http.StatusNotFound, c.ask(http.MethodGet, "/v1/orders/alice.9", "").status)
	require.Equal(t, http.StatusNotFound, c.ask(http.MethodGet, "/v1/customers/bob", "").status)
	require.Equal(t, http.StatusOK, c.ask(http.MethodHead, "/v1/customers/alice", "").status)
	require.Equal(t, http.StatusOK, c.ask(http.MethodGet, "/v1/openapi.json", "").status)
}

// A request with a key is done once, whichever process it is sent to, and whenever. Its outcome
// stays the same.
func TestAPI_doesAKeyOnce(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	s.startWorker()
	one, two := s.startAPI(), s.startAPI()

	// At once, from two processes.
	replies := make([]*reply, 8)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			replies[i] = []*client{one, two}[i%2].add("alice.1", "CHAIR", "Idempotency-Key", "k1", "Prefer", waits)
		})
	}
	all.Wait()
	for _, r := range replies {
		require.Equal(t, http.StatusOK, r.status, r.body)
		require.Equal(t, replies[0].body, r.body)
	}
	require.Equal(t, 1, s.count(`select count(*) from order_lines`))

	// Again: the same outcome, also of what would be refused now, and no record.
	first := one.place("alice.1", "Idempotency-Key", "k2", "Prefer", waits)
	require.Equal(t, "applied", first.text("state"), first.body)
	refused := one.add("alice.1", "CHAIR", "Idempotency-Key", "k3", "Prefer", waits)
	require.Equal(t, "order_placed", refused.text("reason"), refused.body)
	require.Equal(t, "applied", one.ask(http.MethodPost, "/v1/orders/alice.1/cancellation", "", "Prefer", waits).text("state"))
	before := s.records()
	require.Equal(t, first.body, two.place("alice.1", "Idempotency-Key", "k2").body)
	require.Equal(t, refused.body, two.add("alice.1", "CHAIR", "Idempotency-Key", "k3").body)
	require.Equal(t, before, s.records())

	// Another request with the key is none: known at once, or when a worker has decided the first.
	other := two.add("alice.1", "TABLE", "Idempotency-Key", "k1")
	require.Equal(t, http.StatusConflict, other.status)
	require.Equal(t, "id_reused", other.text("reason"))
	require.Contains(t, other.body, "whose operation, path or body is another")
	require.Equal(t, http.StatusAccepted, one.add("bob.1", "CHAIR", "Idempotency-Key", "k1").status, "a key is its customer's")
	require.Equal(t, 1, s.count(`select count(*) from order_lines where order_id = 'alice.1'`))
}

// Without a worker, requests are written and not decided. A client that waits gets 202 in time. A
// worker then finds the repeat of a key, and the other body under it. It is killed, and the next
// worker is sent the first record once more.
func TestAPI_whileNoWorkerRuns(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	c := s.startAPI()
	began := time.Now()
	first := c.add("alice.1", "CHAIR", "Idempotency-Key", "k", "Prefer", "wait=1")
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	require.Equal(t, http.StatusAccepted, first.status)
	require.Equal(t, "pending", first.text("state"))
	require.Equal(t, "wait=1", first.header.Get("Preference-Applied"))
	same := c.add("alice.1", "CHAIR", "Idempotency-Key", "k")
	other := c.add("alice.1", "TABLE", "Idempotency-Key", "k")
	require.Equal(t, first.body, same.body)
	require.NotEqual(t, first.header.Get("Location"), other.header.Get("Location"))
	require.EqualValues(t, 3, s.records())
	require.Equal(t, "pending", c.ask(http.MethodGet, first.header.Get("Location"), "").text("state"))

	worker := s.startWorker()
	testbed.Eventually(t, func() bool { return s.count(`select count(*) from requests`) == 1 })
	worker.Kill()
	s.repeatFirst()
	s.startWorker() // which waits until the group knows that the first one is gone
	placed := c.place("alice.1")
	testbed.Eventually(t, func() bool {
		return c.ask(http.MethodGet, placed.header.Get("Location"), "").text("state") == "applied"
	})
	require.Equal(t, "applied", c.ask(http.MethodGet, first.header.Get("Location"), "").text("state"))
	conflict := c.ask(http.MethodGet, other.header.Get("Location"), "")
	require.Equal(t, http.StatusConflict, conflict.status, conflict.body)
	require.Equal(t, 1, s.count(`select count(*) from order_lines`))
	require.Equal(t, 1, s.count(`select count(*) from dead_letters where reason = 'id_reused'`))
}

// A customer whose command failed is held, and the API says so.
func TestAPI_saysWhoIsHeld(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	_, err := s.db.Exec(t.Context(), `
create function poison() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$;
create trigger poison before insert on order_lines for each row when (new.sku = 'POISON') execute function poison()`)
	require.NoError(t, err)
	s.startWorker()
	c := s.startAPI()
	failed := c.add("alice.1", "POISON", "Prefer", waits)
	require.Equal(t, http.StatusAccepted, failed.status, failed.body)
	testbed.Eventually(t, func() bool { return s.count(`select count(*) from held_keys`) == 1 })
	for _, r := range []*reply{c.add("alice.1", "CHAIR", "Prefer", waits, "Idempotency-Key", "k"), c.add("alice.1", "CHAIR", "Idempotency-Key", "k")} {
		require.Equal(t, http.StatusAccepted, r.status, r.body)
		require.Equal(t, "held", r.text("state"), r.body)
		require.Contains(t, r.JSON["held"].(map[string]any)["message"], "a command of this customer failed")
		require.NotContains(t, r.body, "poison")
	}
	require.Contains(t, c.place("alice.1").body, `"held":`)
	require.Equal(t, "held", c.ask(http.MethodGet, failed.header.Get("Location"), "").text("state"))
	require.Contains(t, c.ask(http.MethodGet, "/v1/customers/alice", "").body, `"held":`)
	require.Equal(t, "applied", c.add("bob.1", "CHAIR", "Prefer", waits).text("state"))

	_, err = s.db.Exec(t.Context(), `drop trigger poison on order_lines`)
	require.NoError(t, err)
	s.run("dlq", "retry", "--reason", "internal")
	testbed.Eventually(t, func() bool {
		return c.ask(http.MethodGet, failed.header.Get("Location"), "").text("state") == "applied"
	})
}

// A command that failed as it was read holds nobody. What failed is not told.
func TestAPI_tellsNoFailure(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	id := strings.Repeat("a", 64)
	_, err := s.db.Exec(t.Context(), `insert into requests (id, body, outcome, reason, message) values ($1, '', 'refused', 'internal', 'panic: secret')`, id)
	require.NoError(t, err)
	c := s.startAPI()
	a := c.ask(http.MethodGet, "/v1/requests/"+id, "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "held", a.text("state"))
	require.NotContains(t, a.body, "secret")
	require.Equal(t, http.StatusOK, c.ask(http.MethodGet, "/?customer=alice&after=alice.%00", "").status, "the page leaves it out")
}

// Where Kafka is away nothing is written, and asking again does it once. Where it stood still, what
// was asked may have been written, and asking again still does it once.
func TestAPI_withoutKafka(t *testing.T) {
	t.Parallel()
	kafka := testbed.StartKafka(t)
	s := newService(t, kafka.Brokers())
	c := s.startAPI()
	require.Equal(t, http.StatusAccepted, c.add("alice.1", "CHAIR").status)
	kafka.Kill()
	away := c.add("alice.1", "CHAIR", "Idempotency-Key", "k1")
	require.Equal(t, http.StatusServiceUnavailable, away.status, away.body)
	require.NotEmpty(t, away.header.Get("Retry-After"))
	kafka.Start()
	testbed.Eventually(t, func() bool { return c.add("alice.1", "CHAIR", "Idempotency-Key", "k1").status == http.StatusAccepted })
	kafka.Freeze()
	require.Equal(t, http.StatusServiceUnavailable, c.add("alice.1", "CHAIR", "Idempotency-Key", "k2").status)
	kafka.Thaw()
	testbed.Eventually(t, func() bool { return c.add("alice.1", "CHAIR", "Idempotency-Key", "k2").status == http.StatusAccepted })
	s.startWorker()
	require.Equal(t, "applied", c.place("alice.1", "Prefer", waits).text("state"))
	require.Equal(t, 3, s.count(`select count(*) from order_lines`))
}

// What cannot work is refused at once, and never becomes a record.
func TestAPI_refusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	c := s.startAPI()
	const lines = "/v1/carts/alice.1/lines"
	long := strings.Repeat("x", 256)
	for _, ask := range []struct {
		method, path, body string
		status             int
		says               string
		headers            []string
	}{
		{"POST", "/v1/carts/alice/lines", `{"sku":"A","qty":1}`, 422, `cartid is \"alice\"`, nil},
		{"POST", "/v1/carts/.1/lines", `{"sku":"A","qty":1}`, 422, "cartid is", nil},
		{"POST", "/v1/carts/alice.%ff/lines", `{"sku":"A","qty":1}`, 422, "UTF-8", nil},
		{"POST", "/v1/carts/alice." + long + "/lines", `{"sku":"A","qty":1}`, 422, "cartid is", nil},
		{"POST", lines, `{"sku":"A","qty":0}`, 422, `the field \"qty\" is 0; it must be an integer from 1`, nil},
		{"POST", lines, `{"sku":"A","qty":1.5}`, 422, `the field \"qty\" is 1.5`, nil},
		{"POST", lines, `{"sku":"A","qty":"1"}`, 422, `the field \"qty\"`, nil},
		{"POST", lines, `{"sku":"","qty":1}`, 422, `the field \"sku\"`, nil},
		{"POST", lines, `{"qty":1}`, 422, `the field \"sku\" is missing`, nil},
		{"POST", lines, `{"sku":"A","qty":1,"customerid":"bob"}`, 422, `there is no field \"customerid\"`, nil},
		{"POST", lines, `{"sku":"A","sku":"B","qty":1}`, 400, "one plain JSON object", nil},
		{"POST", lines, `[]`, 400, "one plain JSON object", nil},
		{"POST", lines, ``, 415, "Content-Type", nil},
		{"POST", lines, `{"sku":"A","qty":1}`, 415, "Content-Type", []string{"Content-Type", "", "Content-Type", "text/plain"}},
		{"POST", lines, `{"sku":"A","qty":1}`, 415, `the header Content-Encoding is \"gzip\"; it must be absent or identity`, []string{"Content-Encoding", "gzip"}},
		{"POST", lines, `{"sku":"` + strings.Repeat("x", 17<<10) + `","qty":1}`, 413, "16384 bytes", nil},
		{"POST", lines + "?x=1", `{"sku":"A","qty":1}`, 400, "there is no parameter", nil},
		{"POST", lines, `{"sku":"A","qty":1}`, 400, "Idempotency-Key", []string{"Idempotency-Key", long}},
		{"POST", lines, `{"sku":"A","qty":1}`, 400, "Idempotency-Key", []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}},
		{"POST", lines, `{"sku":"A","qty":1}`, 406, "application/json", []string{"Accept", "text/html"}},
		{"POST", lines, `{"sku":"A","qty":1}`, 403, "cross-origin", []string{"Sec-Fetch-Site", "cross-site"}},
		{"POST", lines, `{"sku":"A","qty":1}`, 421, "evil.example", []string{"Host", "evil.example"}},
		{"PUT", lines, `{}`, 405, "one of POST", nil},
		{"DELETE", "/v1/orders/alice.1", ``, 405, "GET, HEAD", nil},
		{"DELETE", lines + "/1", ``, 422, `the parameter \"sku\" is missing; it must be 1 to 255 bytes`, nil},
		{"DELETE", lines + "/1?sku=", ``, 422, `sku is \"\"`, nil},
		{"DELETE", lines + "/x?sku=A", ``, 422, "lineid is", nil},
		{"DELETE", lines + "/1?sku=A&sku=B", ``, 400, "there 2 times", nil},
		{"DELETE", lines + "/1?sku=%ff", ``, 422, "UTF-8", nil},
		{"POST", "/v1/carts/alice.1/placement", `{"x":1}`, 422, "takes none", nil},
		{"GET", "/v1/orders/alice", ``, 422, "orderid is", nil},
		{"GET", "/v1/customers/a.b", ``, 422, "customerid is", nil},
		{"GET", "/v1/customers/alice/orders?limit=101", ``, 400, "an integer from 1 to 100", nil},
		{"GET", "/v1/customers/alice/orders?limit=+1", ``, 400, "an integer from 1 to 100", nil},
		{"GET", "/v1/customers/alice/orders?after=bob.1", ``, 404, "an order of the customer", nil},
		{"GET", "/v1/requests/x", ``, 404, "there is no request", nil},
		{"GET", "/v1/requests/" + strings.Repeat("a", 64) + "?body=x", ``, 400, "body is", nil},
		{"GET", "/v1/nothing", ``, 404, "there is nothing", nil},
		{"GET", "/v1", ``, 404, "there is nothing", nil},
		{"GET", "/v1/carts/../orders/alice.1", ``, 404, "there is nothing", nil},
	} {
		r := c.ask(ask.method, ask.path, ask.body, ask.headers...)
		require.Equal(t, ask.status, r.status, "%s %.80s %.80s: %s", ask.method, ask.path, ask.body, r.body)
		require.Contains(t, r.body, ask.says, "%s %.80s", ask.method, ask.path)
		require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
	}
	require.Zero(t, s.records())
	require.Equal(t, http.StatusAccepted, c.ask("POST", lines, `{"sku":"A","qty":2.0}`).status, "JSON Schema calls it an integer")
	require.Equal(t, http.StatusAccepted, c.ask("POST", "/v1/carts/"+url.PathEscape("a/b.ü ?%")+"/lines", `{"sku":"A","qty":1}`).status)
}

// Beyond loopback, a token opens it.
func TestAPI_takesItsToken(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	file := t.TempDir() + "/token"
	require.NoError(t, writeFile(file, "a token of the shop"))
	c := s.startAPI("--api-token-file=" + file)
	for bearer, status := range map[string]int{"": 401, "Bearer another": 401, "Bearer a token of the shop": 404} {
		require.Equal(t, status, c.ask("GET", "/v1/orders/alice.1", "", "Authorization", bearer).status, bearer)
	}
	require.Equal(t, http.StatusSeeOther, c.ask("GET", "/?customer=alice", "").status)
	require.Equal(t, http.StatusSeeOther, c.ask("POST", "/", "").status)
	require.Equal(t, http.StatusOK, c.ask("GET", "/livez", "").status)
	require.Zero(t, s.records())
}
