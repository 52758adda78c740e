package console

import (
	"context"
	"net/http"
	"strings"

	"allocation/cmd/internal/cli"
)

// search goes to the page of what has a name.
func (c *Console) search(w http.ResponseWriter, r *http.Request) {
	asked := newRequest(r.URL.Query())
	name := strings.TrimSpace(asked.Text("q"))
	if err := asked.Err(); err != nil {
		c.fail(w, r, err)
		return
	}
	if name == "" {
		http.Redirect(w, r, c.Link("/"), http.StatusSeeOther)
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), PageTime, errSlow)
	defer cancel()
	var found []Found
	if c.Product.Find != nil {
		var err error
		if found, err = c.Product.Find(ctx, c.Store, name); err != nil {
			c.fail(w, r, cli.CauseOf(ctx, err))
			return
		}
	}
	page := "/command" // which says what it looked for where there is none
	if len(found) > 0 {
		page = found[0].Path
	}
	http.Redirect(w, r, c.Link(page, "id", name), http.StatusSeeOther)
}
