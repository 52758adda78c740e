package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/domain/order"
	"allocation/domain/strictjson"
	"allocation/store/orders"
)

// customerView is a customer.
type customerView struct {
	ID     string    `json:"customerid"`
	Placed int64     `json:"orders_placed"`
	VIP    bool      `json:"vip"`
	Held   *heldView `json:"held,omitempty"`
	Orders string    `json:"orders"` // where they are
}

// orderView is a cart or an order.
type orderView struct {
	ID       string     `json:"orderid"`
	Customer string     `json:"customerid"`
	State    string     `json:"state"`
	PlacedAt *time.Time `json:"placed_at,omitempty"`
	Lines    []lineView `json:"lines"`
}

// summaryView is a cart or an order in a list.
type summaryView struct {
	ID       string     `json:"orderid"`
	State    string     `json:"state"`
	PlacedAt *time.Time `json:"placed_at,omitempty"`
	Link     string     `json:"order"`
}

// lineView is a line of an order.
type lineView struct {
	ID    string `json:"lineid"`
	SKU   string `json:"sku"`
	Qty   int64  `json:"qty"`
	State string `json:"state"`
	Batch string `json:"batchref,omitempty"`
}

// listView is a page of a customer's orders.
type listView struct {
	Orders []summaryView `json:"orders"`
	Next   string        `json:"next,omitempty"`
}

func (a *API) getCustomer(r *request) (*answer, error) {
	id, problem := r.customer()
	if problem == nil {
		problem = r.takes()
	}
	if problem != nil {
		return nil, problem
	}
	var c orders.CustomerView
	err := a.read(r.ctx, func(ctx context.Context) (err error) {
		c, err = orders.ShowCustomer(ctx, a.Store, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, missing("there is no customer %q: nothing of theirs was done yet", id)
	}
	if err != nil {
		return nil, err
	}
	return ok(customerView{c.ID, c.Placed, c.VIP, heldViewOf(c.Held), ordersLink(id)}), nil
}

func ordersLink(customer string) string {
	return "/v1/customers/" + url.PathEscape(customer) + "/orders"
}

// customer is the one of the path.
func (r *request) customer() (string, *Problem) {
	id := r.path["customerid"]
	if !isCustomer(id) {
		return "", wrong(http.StatusUnprocessableEntity, "customerid", id, "1 to 255 bytes of UTF-8 without control characters and without a dot")
	}
	return id, nil
}

func isCustomer(id string) bool { return isIdentifier(id) && !strings.Contains(id, ".") }

func isIdentifier(id string) bool {
	return strictjson.IsIdentifier(id) && strings.ToValidUTF8(id, "") == id
}

const maxListed = 100

func (a *API) listOrders(r *request) (*answer, error) {
	id, problem := r.customer()
	if problem == nil {
		problem = r.takes("limit", "after")
	}
	if problem != nil {
		return nil, problem
	}
	limit, problem := r.number("limit", 20, 1, maxListed)
	if problem != nil {
		return nil, problem
	}
	after := r.query.Get("after")
	if r.query.Has("after") && (order.CustomerOf(after) != id || !isIdentifier(after)) {
		return nil, wrong(http.StatusNotFound, "after", after, "an order of the customer")
	}
	list, err := a.list(r.ctx, id, after, limit, false)
	if err != nil {
		return nil, err
	}
	page := listView{Orders: []summaryView{}}
	for i := range list[:min(len(list), limit)] {
		o := &list[i]
		page.Orders = append(page.Orders, summaryView{o.ID, o.Phase, utc(o.PlacedAt), "/v1/orders/" + url.PathEscape(o.ID)})
	}
	answer := ok(&page)
	if len(list) > limit {
		page.Next = ordersLink(id) + "?" + url.Values{"after": {list[limit-1].ID}, "limit": {strconv.Itoa(limit)}}.Encode()
		answer.header.Set("Link", "<"+page.Next+`>; rel="next"`)
	}
	return answer, nil
}

// list reads one order more than the limit, where there is one.
func (a *API) list(ctx context.Context, customer, after string, limit int, lines bool) (all []orders.OrderView, err error) {
	return all, a.read(ctx, func(ctx context.Context) (err error) {
		all, err = orders.ListOrders(ctx, a.Store, customer, after, limit+1, lines)
		return err
	})
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

func (a *API) getOrder(r *request) (*answer, error) {
	id := r.path["orderid"]
	problem := r.takes()
	if problem == nil && (order.CustomerOf(id) == "" || !isIdentifier(id)) {
		problem = wrong(http.StatusUnprocessableEntity, "orderid", id, "a customer's id, a dot and more, such as alice.7")
	}
	if problem != nil {
		return nil, problem
	}
	o, err := a.order(r.ctx, id)
	if err != nil {
		return nil, err
	}
	v := orderView{o.ID, order.CustomerOf(o.ID), o.Phase, utc(o.PlacedAt), []lineView{}}
	for _, l := range o.Lines {
		v.Lines = append(v.Lines, lineView(l))
	}
	return ok(v), nil
}

func (a *API) order(ctx context.Context, id string) (o orders.OrderView, err error) {
	err = a.read(ctx, func(ctx context.Context) (err error) {
		o, err = orders.ShowOrder(ctx, a.Store, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return o, missing("there is no cart or order %q", id)
	}
	return o, err
}
