package console

import (
	"context"
	"net/http"

	"allocation/cmd/internal/web"
)

// Action is what the button of a form does. A browser is then sent on to a page, so to load that
// again does nothing.
type Action struct {
	Path string // to which the form is sent, by POST
	Do   func(context.Context, *Request) (next string, err error)
}

// action does it. Who sends it from a page of another site is refused by the guard.
func (c *Console) action(a *Action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, web.MaxForm)
		if err := r.ParseForm(); err != nil {
			c.fail(w, r, &Failure{Status: http.StatusBadRequest, Title: "This cannot be asked", Says: []string{"the form cannot be read: " + err.Error()}})
			return
		}
		ctx, cancel := context.WithTimeoutCause(r.Context(), PageTime, errSlow)
		defer cancel()
		next, err := a.Do(ctx, newRequest(r.PostForm))
		if err != nil {
			c.fail(w, r, err)
			return
		}
		http.Redirect(w, r, c.Prefix+next, http.StatusSeeOther)
	})
}
