package console

import (
	"net/http"
	"strings"
)

// cookie holds a proof that the browser knew the token. It ends with the browser, or with the
// console.
const cookie = "console"

func (c *Console) askForToken(w http.ResponseWriter, r *http.Request) {
	if c.isTwin(r) || r.URL.Path == c.Prefix+liveStreamPath { // a browser that follows tries again, later and later
		says := "send it as Authorization: Bearer TOKEN"
		if r.Header.Get("Authorization") != "" {
			c.door.WrongToken(r)
			says = "what was sent is not the token, as Authorization: Bearer TOKEN"
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		c.fail(w, r, &Failure{Status: http.StatusUnauthorized, Title: "A token is needed", Says: []string{says}})
		return
	}
	http.Redirect(w, r, c.Link("/sign-in", "next", strings.TrimPrefix(r.URL.RequestURI(), c.Prefix)), http.StatusSeeOther)
}

// signIn takes the token from a form, and gives the browser its cookie.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	var problem string
	next := r.URL.Query().Get("next")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if c.door.SignIn(w, r) {
			return
		}
		problem, next = "This is not the token.", r.PostFormValue("next")
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		c.fail(w, r, &Failure{Status: http.StatusMethodNotAllowed, Title: "This cannot be asked", Says: []string{"the form is read by GET, and sent by POST"}})
		return
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusForbidden
	}
	c.write(w, r, status, "sign-in.html", &Answer{Title: "Sign in", Data: map[string]string{"Next": next, "Problem": problem}})
}
