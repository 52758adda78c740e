package api_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/chromium"
)

// A customer who is called so must be shown as they are, and do nothing.
const odd = `<script>alert(1)</script>"'`

// post sends a form, and gives where it leads.
func (c *client) post(form url.Values, headers ...string) (status int, location, body string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+"/", strings.NewReader(form.Encode()))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	return answer.StatusCode, answer.Header.Get("Location"), string(text)
}

var formKey = regexp.MustCompile(`name="key" value="([^"]+)"`)

// TestShop shares one worker, one process and one Chromium.
func TestShop(t *testing.T) {
	t.Parallel()
	s := newService(t, testbed.Kafka(t))
	_, err := s.db.Exec(t.Context(), `
create function poison() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$;
create trigger poison before insert on order_lines for each row when (new.sku = 'POISON') execute function poison()`)
	require.NoError(t, err)
	worker := s.startWorker()
	c := s.startAPI()
	chrome := chromium.Start(t)
	t.Run("doesAFormOnce", func(t *testing.T) { doesAFormOnce(t, s, c) })
	t.Run("worksWithoutScripts", func(t *testing.T) { worksWithoutScripts(t, c, chrome.Open(t)) })
	t.Run("worksByKeyboard", func(t *testing.T) { worksByKeyboard(t, c, chrome.Open(t)) })
	t.Run("hasPagesWithoutFault", func(t *testing.T) { hasPagesWithoutFault(t, s, c, chrome, worker) })
}

// A form that is sent twice, or at another process, does nothing twice, and leads to a page that
// only reads. Where something else is in it, it is not done.
func doesAFormOnce(t *testing.T, s *service, c *client) {
	form := url.Values{"do": {"add"}, "cart": {"forms.1"}, "sku": {"CHAIR"}, "qty": {"2"}, "key": {"one"}}
	status, location, _ := c.post(form)
	require.Equal(t, http.StatusSeeOther, status)
	_, again, _ := s.startAPI().post(form)
	require.Equal(t, location, again)
	page := c.ask(http.MethodGet, location, "").body
	require.Contains(t, page, "Done.")
	withoutKeys := func(page string) string { return formKey.ReplaceAllString(page, "") }
	require.Equal(t, withoutKeys(page), withoutKeys(c.ask(http.MethodGet, location, "").body))
	require.Equal(t, 1, s.count(`select count(*) from order_lines where order_id = 'forms.1'`))
	form.Set("qty", "3")
	_, other, _ := c.post(form)
	require.Contains(t, c.ask(http.MethodGet, other, "").body, "it was not done again")

	keys := formKey.FindAllStringSubmatch(page, -1)
	require.Greater(t, len(keys), 2)
	seen := map[string]bool{}
	for _, key := range keys {
		require.False(t, seen[key[1]], "each form has a key of its own")
		seen[key[1]] = true
	}
	for _, wrong := range []url.Values{
		{"do": {"add"}, "cart": {"forms.1"}, "sku": {"CHAIR"}, "qty": {"0"}, "key": {"two"}}, {"do": {"add"}, "cart": {"forms.1"}, "sku": {""}, "qty": {"1"}, "key": {"two"}},
		{"do": {"add"}, "cart": {"forms.1"}, "sku": {"A"}, "qty": {"x"}, "key": {"two"}}, {"do": {"eat"}, "cart": {"forms.1"}, "key": {"two"}}, {"do": {"place"}, "cart": {"forms.1"}},
		{"do": {"place"}, "cart": {"forms"}, "key": {"two"}}, {"do": {strings.Repeat("x", 7<<10)}},
	} {
		before := s.records()
		status, _, body := c.post(wrong)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, status, wrong)
		require.Contains(t, body, "must be", wrong)
		require.Equal(t, before, s.records())
	}
	status, _, _ = c.post(form, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, status)
}

func said(b *chromium.Tab) string {
	return chromium.Ask[string](b, `document.querySelector("[role=status]")?.innerText ?? ""`)
}

func main(b *chromium.Tab) string {
	return chromium.Ask[string](b, `document.querySelector("main").innerText`)
}

func worksWithoutScripts(t *testing.T, c *client, b *chromium.Tab) {
	chromium.Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.Visit(c.url + "/")
	b.Do(chromedp.SendKeys(chromedp.CSS("#customer"), "alice"))
	b.Goes(chromedp.Click(chromedp.CSS("main button")))
	require.Equal(t, "alice", b.Heading())
	for range 3 {
		for _, sku := range []string{"CHAIR", "TABLE"} {
			b.Do(chromedp.SendKeys(chromedp.CSS("#sku"), sku))
			b.Goes(chromedp.Click(chromedp.CSS(".filters button")))
			require.Equal(t, "Done.", said(b), main(b))
		}
		b.Goes(chromedp.Click(chromedp.CSS(`[aria-label="Remove line 1, CHAIR"]`)))
		require.Equal(t, "Done.", said(b))
		b.Goes(chromedp.Click(chromedp.CSS(`section[aria-labelledby=cart] > form:last-of-type button`)))
		require.Equal(t, "Done.", said(b))
	}
	require.Contains(t, main(b), "VIP 3 orders placed")
	b.Goes(chromedp.Click(chromedp.CSS(`[aria-label^="Cancel alice."]`)))
	require.Equal(t, "Done.", said(b))
	require.Contains(t, main(b), "cancelled")
	require.Empty(t, b.Heard())
}

func worksByKeyboard(t *testing.T, c *client, b *chromium.Tab) {
	b.Visit(c.url + "/")
	b.Press(kb.Tab)
	require.True(t, chromium.Ask[bool](b, `document.activeElement.matches(".skip")`), "the first is a link over all that every page has")
	b.TabTo("#customer")
	b.Press("bob")
	b.Goes(chromedp.KeyEvent(kb.Enter))
	b.TabTo("#sku")
	b.Press("CHAIR")
	b.Goes(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Done.", said(b), main(b))
	b.TabTo(`section[aria-labelledby=cart] > form:last-of-type button`)
	b.Goes(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Done.", said(b))
	require.Contains(t, main(b), "1 order placed")
	b.TabTo(`[aria-label^="Cancel bob."]`)
	b.Goes(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "Done.", said(b))
	require.Empty(t, b.Heard())
}

// hasPagesWithoutFault looks at the page in each of its states.
func hasPagesWithoutFault(t *testing.T, s *service, c *client, chrome *chromium.Browser, worker *testbed.Process) {
	add := func(cart, sku, key string) string {
		_, location, body := c.post(url.Values{"do": {"add"}, "cart": {cart}, "sku": {sku}, "qty": {"1"}, "key": {key}})
		require.NotEmpty(t, location, body)
		return location
	}
	for i := range 12 { // more than a page has
		cart := "many." + strings.Repeat("x", i+1)
		add(cart, "CHAIR", cart)
		c.place(cart, "Prefer", waits)
	}
	odds := add(odd+".1", odd, "k")
	add("held.1", "CHAIR", "k1")
	held := add("held.1", "POISON", "k2")
	testbed.Eventually(t, func() bool { return s.count(`select count(*) from held_keys`) == 1 })
	waits := add("held.1", "CHAIR", "k3")
	_, refused, _ := c.post(url.Values{"do": {"place"}, "cart": {"nobody.1"}, "key": {"k"}})
	worker.Kill()
	pending := add("alice.x", "CHAIR", "k")
	require.Contains(t, c.ask(http.MethodGet, pending, "").body, "Sent, and not decided yet.")
	require.Contains(t, c.ask(http.MethodGet, refused, "").body, "Refused (unknown_cart)")
	require.Contains(t, c.ask(http.MethodGet, waits, "").body, "Your commands wait")
	require.Contains(t, c.ask(http.MethodGet, "/?customer=many", "").body, "Earlier orders")
	for name, link := range map[string]string{
		"start": "/", "no customer": "/?customer=a.b", "new": "/?customer=new", "orders": "/?customer=alice", "many": "/?customer=many", "odd": odds, "held": held, "waits": waits,
		"refused": refused, "pending": pending, "nothing": "/nothing", "sign in": "/sign-in",
	} {
		t.Run(name, func(t *testing.T) {
			for _, fault := range chrome.Open(t).Faults(c.url + link) {
				t.Error(fault)
			}
		})
	}
}
