package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cookie holds a proof that the browser knew the token. It ends with the browser, or with the
// console.
const cookie = "console"

// maxForm bounds the form of a token.
const maxForm = 8 << 10

// open reports whether the request may read: by the cookie, or by a bearer token.
func (c *Console) open(r *http.Request) bool {
	if c.Token == "" {
		return true
	}
	if scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return c.isToken(bearer)
	}
	proof, err := r.Cookie(cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(proof.Value), []byte(c.proof())) == 1
}

func (c *Console) isToken(token string) bool {
	given, own := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(c.Token))
	return subtle.ConstantTimeCompare(given[:], own[:]) == 1
}

// wrongToken logs who sent a wrong token: once a second at most, for this too costs.
func (c *Console) wrongToken(r *http.Request) {
	wrong := c.wrong.Add(1)
	now := time.Now().Unix()
	if c.wrongLogged.Swap(now) != now {
		c.Logger.Warn("a wrong token was sent", "from", r.RemoteAddr, "path", r.URL.Path, "forwarded_for", r.Header.Get("X-Forwarded-For"), "wrong_so_far", wrong)
	}
}

// proof is what a cookie holds: no token, and of no use for another process.
func (c *Console) proof() string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(c.Token))
	return hex.EncodeToString(mac.Sum(nil))
}

func (c *Console) askForToken(w http.ResponseWriter, r *http.Request) {
	if c.isTwin(r) || r.URL.Path == c.Prefix+liveStreamPath { // a browser that follows tries again, later and later
		says := "send it as Authorization: Bearer TOKEN"
		if r.Header.Get("Authorization") != "" {
			c.wrongToken(r)
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
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if c.isToken(strings.TrimSpace(r.PostFormValue("token"))) {
			//nolint:gosec // not Secure: TLS ends at a proxy, if anywhere, and the console does not see it
			http.SetCookie(w, &http.Cookie{Name: cookie, Value: c.proof(), Path: c.Prefix + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, c.Prefix+nextPath(r.PostFormValue("next")), http.StatusSeeOther) //nolint:gosec // see nextPath
			return
		}
		c.wrongToken(r)
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

// nextPath is where to go on: nowhere else than here.
func nextPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "..") || strings.Contains(next, `\`) {
		return "/"
	}
	return u.RequestURI()
}
