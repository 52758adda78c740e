package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"allocation/domain/order"
	"allocation/store"
	"allocation/worker"
)

func (a *API) addToCart(r *request) (*answer, error) {
	body, problem := r.members("sku", "qty")
	if problem == nil {
		problem = r.takes()
	}
	if problem != nil {
		return nil, problem
	}
	return a.write(r, "AddToCart", field{"cartid", r.path["cartid"]}, rawField{"sku", body["sku"]}, rawField{"qty", integer(body["qty"])})
}

// integer writes a whole number as commands have it. To JSON Schema 2.0 is one, too.
func integer(value []byte) []byte {
	const most = 1 << 53 // up to which each has a float of its own
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > most {
		return value
	}
	return strconv.AppendInt(nil, int64(n), 10)
}

var lineID = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)

func (a *API) removeFromCart(r *request) (*answer, error) {
	if problem := r.takes("sku"); problem != nil {
		return nil, problem
	}
	line, sku := r.path["lineid"], r.query.Get("sku")
	if _, given := r.query["sku"]; !given {
		return nil, problem(http.StatusUnprocessableEntity, "This cannot be asked", "the parameter \"sku\" is missing; it must be 1 to 255 bytes of UTF-8 without control characters")
	}
	if !lineID.MatchString(line) {
		return nil, wrong(http.StatusUnprocessableEntity, "lineid", line, "an integer from 1 to 999999999")
	}
	if _, problem := r.members(); problem != nil {
		return nil, problem
	}
	return a.write(r, "RemoveFromCart", field{"cartid", r.path["cartid"]}, field{"sku", sku}, field{"lineid", line})
}

func (a *API) placeOrder(r *request) (*answer, error) {
	return a.writeOnly(r, "PlaceOrder", field{"cartid", r.path["cartid"]})
}

func (a *API) cancelOrder(r *request) (*answer, error) {
	return a.writeOnly(r, "CancelOrder", field{"orderid", r.path["orderid"]})
}

// writeOnly writes a command of which the path says all.
func (a *API) writeOnly(r *request, name string, id field) (*answer, error) {
	_, problem := r.members()
	if problem == nil {
		problem = r.takes()
	}
	if problem != nil {
		return nil, problem
	}
	return a.write(r, name, id)
}

// member is a field of a command's data.
type member interface{ append(to []byte) []byte }

type field struct{ name, value string }

func (f field) append(to []byte) []byte {
	value, _ := json.Marshal(f.value) // a text
	return fmt.Appendf(to, ",%q:%s", f.name, value)
}

// rawField is JSON as it came. One that did not come is left out.
type rawField struct {
	name  string
	value []byte
}

func (f rawField) append(to []byte) []byte {
	if f.value == nil {
		return to
	}
	return fmt.Appendf(to, ",%q:%s", f.name, f.value)
}

// commandOf makes a command about a cart or an order, whose id is the first member. What the
// decoder refuses is refused here: it never becomes a record.
func commandOf(name string, id field, more ...member) (*command, error) {
	customer := order.CustomerOf(id.value)
	text, _ := json.Marshal(customer)
	data := append([]byte(`{"customerid":`), text...)
	for _, m := range append([]member{id}, more...) {
		data = m.append(data)
	}
	data = append(data, '}')
	for _, m := range append([]member{id}, more...) {
		if f, text := m.(field); text && !isIdentifier(f.value) {
			return nil, wrong(http.StatusUnprocessableEntity, f.name, f.value, "1 to 255 bytes of UTF-8 without control characters")
		}
	}
	if customer == "" {
		return nil, wrong(http.StatusUnprocessableEntity, id.name, id.value, "a customer's id, a dot and more, such as alice.7")
	}
	if _, refusal := order.DecodeCommand(name, data); refusal != nil {
		return nil, problem(http.StatusUnprocessableEntity, "This cannot be asked", "%s", refusal.Message)
	}
	return &command{name: name, data: data, customer: customer, order: id.value}, nil
}

// write sends a command, and answers what became of it.
func (a *API) write(r *request, name string, id field, more ...member) (*answer, error) {
	c, err := commandOf(name, id, more...)
	if err != nil {
		return nil, err
	}
	key, problem := idempotencyKey(r.Header)
	if problem != nil {
		return nil, problem
	}
	c.id, c.trace, c.state = uuid.NewString(), r.Header.Get("traceparent"), r.Header.Get("tracestate")
	if key != "" {
		c.id, c.keyed = requestID(c.customer, key), true
	}
	most := wait(r.Header)
	outcome, err := a.do(r.ctx, c, most)
	if err != nil {
		return nil, err
	}
	answer, err := answerOf(outcome)
	if err == nil && most > 0 {
		answer.header.Set("Preference-Applied", fmt.Sprintf("wait=%d", most/time.Second))
	}
	return answer, err
}

// outcome is what is known of a command that was sent.
type outcome struct {
	*command
	found *store.Request // nil: no worker has decided it yet
	held  *store.HeldKey // what the customer's commands wait behind; nil: nothing, or it is not known
}

// do sends a command, unless it came before, and waits for what becomes of it.
func (a *API) do(ctx context.Context, c *command, most time.Duration) (*outcome, error) {
	o := &outcome{command: c}
	if c.keyed {
		// A worker finds out, too. Where the tables cannot be read, that is enough.
		if o.found, _ = a.known(ctx, c.id); o.found != nil && o.found.Outcome != worker.Held.String() {
			return o, nil
		}
	}
	if o.found == nil {
		if err := a.send(ctx, c); err != nil {
			return nil, err
		}
		if most > 0 {
			if found, known := a.outcomes.await(ctx, c.id, most); known {
				o.found = &found
			}
		}
	}
	if o.found == nil || o.found.Outcome == worker.Held.String() {
		o.held = a.heldOf(ctx, c.customer)
	}
	return o, nil
}

// known is what became of a request; nil: no worker has decided it.
func (a *API) known(ctx context.Context, id string) (found *store.Request, err error) {
	return found, a.read(ctx, func(ctx context.Context) error {
		all, err := a.Store.Requests(ctx, []string{id})
		if len(all) > 0 {
			found = &all[0]
		}
		return err
	})
}

func (a *API) readRequests(ctx context.Context, ids []string) ([]store.Request, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	return a.Store.Requests(ctx, ids)
}

// heldOf says what a customer's commands wait behind; nil where they do not, or nobody knows.
func (a *API) heldOf(ctx context.Context, customer string) (held *store.HeldKey) {
	_ = a.read(ctx, func(ctx context.Context) error { // without an answer it is not known
		all, err := a.Store.Held(ctx, customer)
		if len(all) > 0 {
			held = &all[0]
		}
		return err
	})
	return held
}

// body tells the command apart from others under the same id.
func (c *command) body() []byte { return store.BodyHash(c.name, c.data) }

func (c *command) bodyText() string { return hex.EncodeToString(c.body()) }

// location is where it is said what became of it.
func (c *command) location() string {
	return "/v1/requests/" + url.PathEscape(c.id) + "?body=" + c.bodyText()
}

func (o *outcome) reused() bool { return o.found != nil && !bytes.Equal(o.found.Body, o.body()) }

// answerOf is what a client is told.
func answerOf(o *outcome) (*answer, error) {
	if o.reused() {
		return nil, reused(o.id)
	}
	v := viewOf(o.id, o.found, o.held)
	switch v.State {
	case stateRefused, stateDiscarded:
		p := problem(statusOf(v.Reason), "The command was "+v.State, "%s", v.Message)
		p.Reason, p.ID = v.Reason, o.id
		return nil, p
	case stateApplied, stateNoEffect:
		a := ok(v)
		a.header.Set("Content-Location", o.location())
		return a, nil
	}
	a := &answer{status: http.StatusAccepted, body: v, header: http.Header{}}
	a.header.Set("Location", o.location())
	return a, nil
}

// statusOf is that of a command which a worker refused: as things are, it cannot be done.
func statusOf(reason string) int {
	switch order.Reason(reason) {
	case order.ReasonUnknownCart, order.ReasonUnknownLine:
		return http.StatusNotFound
	}
	return http.StatusConflict
}

func reused(id string) *Problem {
	p := problem(http.StatusConflict, "The idempotency key was used for something else", "the header Idempotency-Key is that of another request of this customer, whose operation, path or body is another; it must be a new one")
	p.Reason, p.ID = worker.ReasonIDReused, id
	return p
}
