package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	visitEvery = 500 * time.Millisecond // on average, a customer comes
	maxAtOnce  = 64                     // customers
	regulars   = 30                     // who come again, until they placed so many orders:
	enough     = 4
)

// articles are those that the warehouse's simulate has.
var articles = []string{"CHAIR", "DESK", "LAMP", "SHELF", "SOFA", "TABLE"}

var names = []string{
	"ada", "ben", "cleo", "dora", "emil", "flora", "gus", "hanna", "ivo", "june", "karl", "lena", "milo", "nora", "otto",
	"pia", "quinn", "rosa", "sam", "tilda", "ugo", "vera", "willy", "xenia", "yuri", "zoe",
}

// shoppers are customers who come, fill a cart, and place an order. A customer who placed enough
// does not come again: others come.
type shoppers struct {
	url    string
	client *http.Client
	begun  int64 // tells the customers of this start from those of others

	mu      sync.Mutex
	come    int64
	regular []*customer
}

type customer struct {
	id     string
	visits int64
	placed int
}

func newShoppers(url string) *shoppers {
	return &shoppers{url: url, client: &http.Client{Timeout: 10 * time.Second}, begun: time.Now().Unix() % 1_000_000}
}

// run has customers come until the context ends.
func (s *shoppers) run(ctx context.Context) {
	var visits sync.WaitGroup
	defer visits.Wait()
	places := make(chan struct{}, maxAtOnce)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(rand.ExpFloat64() * float64(visitEvery))):
		}
		select {
		case places <- struct{}{}:
			visits.Go(func() {
				defer func() { <-places }()
				s.visit(ctx)
			})
		default: // too many are in the shop
		}
	}
}

// next is a customer, and the cart of this visit.
func (s *shoppers) next() (c *customer, cart string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := rand.IntN(regulars)
	if i >= len(s.regular) || s.regular[i].placed >= enough {
		c := &customer{id: fmt.Sprintf("%s-%d-%d", names[s.come%int64(len(names))], s.begun, s.come)}
		s.come++
		if i = min(i, len(s.regular)); i == len(s.regular) {
			s.regular = append(s.regular, c)
		}
		s.regular[i] = c
	}
	c = s.regular[i]
	c.visits++
	return c, fmt.Sprintf("%s.%d", c.id, c.visits)
}

// visit is what a customer does: most place an order, some go away, and few think better of it
// afterwards. One that the shop does not answer goes away.
func (s *shoppers) visit(ctx context.Context) {
	c, cart := s.next()
	lines := 1 + rand.IntN(3)
	for range lines {
		if !s.ask(ctx, http.MethodPost, "/v1/carts/"+cart+"/lines", map[string]any{"sku": articles[rand.IntN(len(articles))], "qty": 1 + rand.IntN(4)}) {
			return
		}
		if !wait(ctx, 300*time.Millisecond) {
			return
		}
	}
	if lines > 1 && rand.IntN(6) == 0 {
		s.removeFirst(ctx, cart)
	}
	if rand.IntN(12) == 0 {
		return // the cart expires
	}
	if !s.ask(ctx, http.MethodPost, "/v1/carts/"+cart+"/placement", nil) {
		return
	}
	s.mu.Lock()
	c.placed++
	s.mu.Unlock()
	if rand.IntN(4) == 0 && wait(ctx, 3*time.Second) && s.order(ctx, cart).State == "placed" { // it waits for goods
		s.ask(ctx, http.MethodPost, "/v1/orders/"+cart+"/cancellation", nil)
	}
}

// order is a cart or an order, as far as it matters here.
type order struct {
	State string
	Lines []struct{ LineID, SKU string }
}

func (s *shoppers) order(ctx context.Context, id string) (o order) {
	if body, ok := s.answer(ctx, http.MethodGet, "/v1/orders/"+id, nil); ok {
		_ = json.Unmarshal(body, &o) // else it is empty
	}
	return o
}

// removeFirst takes the first line out of a cart.
func (s *shoppers) removeFirst(ctx context.Context, cart string) {
	if lines := s.order(ctx, cart).Lines; len(lines) > 0 {
		s.ask(ctx, http.MethodDelete, "/v1/carts/"+cart+"/lines/"+lines[0].LineID+"?sku="+lines[0].SKU, nil)
	}
}

// ask asks the shop, and reports whether it took it.
func (s *shoppers) ask(ctx context.Context, method, path string, body any) bool {
	_, ok := s.answer(ctx, method, path, body)
	return ok
}

func (s *shoppers) answer(ctx context.Context, method, path string, body any) (content []byte, ok bool) {
	var data []byte
	if body != nil {
		data, _ = json.Marshal(body) // texts and numbers
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(data))
	if err != nil {
		return nil, false
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, false
	}
	defer answer.Body.Close()
	content, err = io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return content, err == nil && answer.StatusCode < http.StatusBadRequest
}

// wait waits for a while, and reports whether the context goes on.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
