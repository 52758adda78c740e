package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is something that can be asked.
type route struct {
	method string
	path   string // whose segments in braces are parameters
	id     string // the operation of openapi.json
	handle func(*request) (*answer, error)
}

// answer is what is said where nothing went wrong.
type answer struct {
	status int
	body   any
	header http.Header
}

func ok(body any) *answer { return &answer{status: http.StatusOK, body: body, header: http.Header{}} }

func (a *API) routes() []route {
	return []route{
		{http.MethodPost, "/v1/carts/{cartid}/lines", "addToCart", a.addToCart},
		{http.MethodDelete, "/v1/carts/{cartid}/lines/{lineid}", "removeFromCart", a.removeFromCart},
		{http.MethodPost, "/v1/carts/{cartid}/placement", "placeOrder", a.placeOrder},
		{http.MethodPost, "/v1/orders/{orderid}/cancellation", "cancelOrder", a.cancelOrder},
		{http.MethodGet, "/v1/orders/{orderid}", "getOrder", a.getOrder},
		{http.MethodGet, "/v1/customers/{customerid}", "getCustomer", a.getCustomer},
		{http.MethodGet, "/v1/customers/{customerid}/orders", "listOrders", a.listOrders},
		{http.MethodGet, "/v1/requests/{requestid}", "getRequest", a.getRequest},
		{http.MethodGet, "/v1/openapi.json", "getOpenAPI", a.getOpenAPI},
	}
}

// find gives the route of a request and the values of its path. A path of ServeMux would be cleaned
// of what looks like ".." in ids, and answered with texts.
func (a *API) find(r *http.Request) (*route, map[string]string, *Problem) {
	var allowed []string
	for i := range a.all {
		found := &a.all[i]
		values, matches := match(found.path, r.URL.EscapedPath())
		switch {
		case !matches:
		case r.Method == found.method, r.Method == http.MethodHead && found.method == http.MethodGet:
			return found, values, nil
		default:
			allowed = append(allowed, found.method)
		}
	}
	if len(allowed) == 0 {
		return nil, nil, missing("there is nothing at %q", r.URL.Path)
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	list := strings.Join(allowed, ", ")
	return nil, nil, wrong(http.StatusMethodNotAllowed, "the method", r.Method, "one of "+list).with("Allow", list)
}

// match compares a path with a pattern, segment by segment.
func match(pattern, path string) (values map[string]string, matches bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	values = map[string]string{}
	for i, segment := range have {
		name, parameter := strings.CutPrefix(want[i], "{")
		if !parameter {
			if segment != want[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		values[strings.TrimSuffix(name, "}")] = value
	}
	return values, true
}
