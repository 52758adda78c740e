package api

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/web"
	"allocation/domain/order"
	"allocation/store/orders"
)

//go:embed templates/*.html
var templateFiles embed.FS

// shop is the page by which a person plays a customer. A form has an idempotency key of its own, so
// that sent twice it does nothing twice, and leads to a page that only reads.
type shop struct {
	*API
	mux       *http.ServeMux
	templates *template.Template
}

const (
	shopOrders = 10              // are shown
	shopWait   = 2 * time.Second // for what becomes of a form
)

func newShop(a *API) (*shop, error) {
	s := &shop{API: a, mux: http.NewServeMux()}
	statics := web.ReadStatics(console.Static())
	var err error
	s.templates, err = template.New("").Funcs(shopFuncs(statics)).ParseFS(templateFiles, "templates/*.html")
	s.mux.HandleFunc("GET /{$}", s.show)
	s.mux.HandleFunc("POST /{$}", s.post)
	s.mux.HandleFunc("/sign-in", s.signIn)
	s.mux.Handle("GET /static/{name}", statics)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, missing("there is no page %s", r.URL.Path)) })
	return s, err
}

// ServeHTTP asks for the token where one is needed.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.Door.Opens(r) && r.URL.Path != "/sign-in" && !strings.HasPrefix(r.URL.Path, "/static/") {
		http.Redirect(w, r, "/sign-in?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// shopPage is what the page shows.
type shopPage struct {
	Customer orders.CustomerView // without an id where none is chosen
	CartID   string              // where the next article goes
	Cart     *orders.OrderView   // nil: nothing is in it
	Orders   []orders.OrderView
	SKUs     []string // of the customer's lines
	More     string   // the order behind which there are more; empty: there are none
	After    string
	Choose   string // the cart that is chosen; empty: the last one
	Request  *requestView
	Link     string // to this page, to read it again
	Problem  string
}

func (s *shop) show(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, s.problemOf(r, err))
		return
	}
	s.write(w, http.StatusOK, "shop.html", cmp.Or(p.Customer.ID, "Who is shopping?"), p)
}

// page reads what the page shows.
func (s *shop) page(r *http.Request) (*shopPage, error) {
	query := r.URL.Query()
	id := strings.TrimSpace(query.Get("customer"))
	p := &shopPage{Customer: orders.CustomerView{ID: id}, After: query.Get("after"), Choose: query.Get("cart"), Link: r.URL.RequestURI()}
	if id == "" {
		return p, nil
	}
	if !isCustomer(id) {
		p.Customer.ID = ""
		p.Problem = fmt.Sprintf("%q is no customer's name: it must be 1 to 255 bytes without control characters and without a dot.", id)
		return p, nil
	}
	if err := s.readCustomer(r.Context(), p); err != nil {
		return nil, err
	}
	if request := query.Get("request"); requestIDs.MatchString(request) {
		v, err := s.requestNow(r.Context(), request, query.Get("body"))
		var known *Problem
		if errors.As(err, &known) && known.Status == http.StatusConflict {
			v, err = &requestView{State: stateRefused, Message: "this form was sent before with something else in it: it was not done again"}, nil
		}
		if err != nil {
			return nil, err
		}
		p.Request = v
	}
	return p, nil
}

func (s *shop) readCustomer(ctx context.Context, p *shopPage) error {
	id := p.Customer.ID
	err := s.read(ctx, func(ctx context.Context) (err error) {
		if p.Customer, err = orders.ShowCustomer(ctx, s.Store, id); errors.Is(err, pgx.ErrNoRows) {
			err = nil // they are new
		}
		return err
	})
	if err != nil {
		return err
	}
	if order.CustomerOf(p.After) != id || !isIdentifier(p.After) {
		p.After = ""
	}
	list, err := s.list(ctx, id, p.After, shopOrders, true)
	if err != nil {
		return err
	}
	if len(list) > shopOrders {
		list = list[:shopOrders]
		p.More = list[shopOrders-1].ID
	}
	for i := range list {
		for _, l := range list[i].Lines {
			p.SKUs = append(p.SKUs, l.SKU)
		}
		if list[i].Phase == "cart" && p.Cart == nil && p.After == "" && (p.Choose == "" || p.Choose == list[i].ID) {
			p.Cart, p.CartID = &list[i], list[i].ID
			continue
		}
		p.Orders = append(p.Orders, list[i])
	}
	slices.Sort(p.SKUs)
	p.SKUs = slices.Compact(p.SKUs)
	if p.CartID == "" {
		p.CartID = newCart(id)
	}
	return nil
}

// newCart is an id that comes behind those of before.
func newCart(customer string) string {
	return customer + "." + time.Now().UTC().Format("060102-150405") + "-" + uuid.NewString()[:4]
}

const maxForm = 8 << 10

// post does what a form says, and leads to the page that says what became of it.
func (s *shop) post(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, problem(http.StatusBadRequest, "This cannot be asked", "the form cannot be read: %v", err))
		return
	}
	form := r.PostForm.Get
	c, err := s.commandOfForm(form)
	if err != nil {
		s.fail(w, s.problemOf(r, err))
		return
	}
	c.id, c.keyed = requestID(c.customer, form("key")), true
	if _, err := s.do(r.Context(), c, shopWait); err != nil {
		s.fail(w, s.problemOf(r, err))
		return
	}
	location := url.Values{"customer": {c.customer}, "request": {c.id}, "body": {c.bodyText()}, "cart": {c.order}}
	if c.name == "PlaceOrder" || c.name == "CancelOrder" {
		location.Del("cart")
	}
	http.Redirect(w, r, "/?"+location.Encode(), http.StatusSeeOther)
}

func (s *shop) commandOfForm(form func(string) string) (*command, error) {
	cart := field{"cartid", form("cart")}
	if key := form("key"); key == "" || len(key) > maxKey {
		return nil, wrong(http.StatusBadRequest, "key", key, "the one of the form")
	}
	switch what := form("do"); what {
	case "add":
		return commandOf("AddToCart", cart, field{"sku", strings.TrimSpace(form("sku"))}, rawField{"qty", number(form("qty"))})
	case "remove":
		return commandOf("RemoveFromCart", cart, field{"sku", form("sku")}, field{"lineid", form("line")})
	case "place":
		return commandOf("PlaceOrder", cart)
	case "cancel":
		return commandOf("CancelOrder", field{"orderid", form("cart")})
	default:
		return nil, wrong(http.StatusBadRequest, "do", what, "one of add, remove, place, cancel")
	}
}

// number is a number as JSON has it, and else a text, which no number is.
func number(text string) []byte {
	text = strings.TrimSpace(text)
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) && (text[0] != '0' || text == "0") {
		return []byte(text)
	}
	return fmt.Appendf(nil, "%q", cli.Printable(text))
}

func (s *shop) signIn(w http.ResponseWriter, r *http.Request) {
	status, problem, next := http.StatusOK, "", r.URL.Query().Get("next")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if s.Door.SignIn(w, r) {
			return
		}
		status, problem, next = http.StatusForbidden, "This is not the token.", r.PostFormValue("next")
	default:
		s.fail(w, wrong(http.StatusMethodNotAllowed, "the method", r.Method, "one of GET, HEAD, POST").with("Allow", "GET, HEAD, POST"))
		return
	}
	s.write(w, status, "sign-in.html", "Sign in", map[string]string{"Next": next, "Problem": problem})
}

func (s *shop) fail(w http.ResponseWriter, p *Problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	s.write(w, p.Status, "failure.html", p.Title, p)
}

// write writes a page, whole or not at all.
func (s *shop) write(w http.ResponseWriter, status int, file, title string, data any) {
	var main, page bytes.Buffer
	err := s.templates.ExecuteTemplate(&main, file, data)
	if err == nil {
		err = s.templates.ExecuteTemplate(&page, "layout.html", map[string]any{"Title": title, "Main": template.HTML(main.String())}) //nolint:gosec // a template wrote it
	}
	if err != nil {
		s.Logger.Error("write a page", "page", file, "error", err)
		http.Error(w, "the page could not be written; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}
