package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// MaxForm bounds the form of a token.
const MaxForm = 8 << 10

// Door knows who may ask.
type Door struct {
	hosts  []string
	token  string
	cookie string
	path   string
	logger *slog.Logger
	key    []byte // of the cookies

	wrong, logged atomic.Int64 // tokens, and when one was logged, in seconds
}

// NewDoor makes one. The hosts are the names that browsers know it by, beside those of loopback. An
// empty token opens it to everybody. The cookie is the name of the browser's, for what begins with
// the path.
func NewDoor(hosts []string, token, cookie, path string, logger *slog.Logger) *Door {
	return &Door{hosts: hosts, token: token, cookie: cookie, path: path, logger: logger, key: []byte(rand.Text())}
}

// Knows reports whether a request's Host is a name of this server. A page of another site can have
// its own name lead here (DNS rebinding), and is refused by that.
func (d *Door) Knows(host string) bool {
	name := strings.ToLower(HostOf(host))
	if ip := net.ParseIP(name); ip != nil {
		return true // no name that could lead elsewhere
	}
	return name == "localhost" || slices.Contains(d.hosts, name)
}

// HostOf is a host without its port.
func HostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// IsLoopback reports whether only this machine reaches an address.
func IsLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// Opens reports whether a request may be answered: by the cookie, or by a bearer token.
func (d *Door) Opens(r *http.Request) bool {
	if d.token == "" {
		return true
	}
	if scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return d.isToken(bearer)
	}
	proof, err := r.Cookie(d.cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(proof.Value), []byte(d.proof())) == 1
}

func (d *Door) isToken(token string) bool {
	given, own := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(d.token))
	return subtle.ConstantTimeCompare(given[:], own[:]) == 1
}

// WrongToken logs who sent a wrong token: once a second at most, for this too costs.
func (d *Door) WrongToken(r *http.Request) {
	wrong := d.wrong.Add(1)
	now := time.Now().Unix()
	if d.logged.Swap(now) != now {
		d.logger.Warn("a wrong token was sent", "from", r.RemoteAddr, "path", r.URL.Path, "forwarded_for", r.Header.Get("X-Forwarded-For"), "wrong_so_far", wrong)
	}
}

// Wrong is how many wrong tokens were sent.
func (d *Door) Wrong() int64 { return d.wrong.Load() }

// proof is what a cookie holds: no token, and of no use for another process. It ends with the
// browser, or with the process.
func (d *Door) proof() string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(d.token))
	return hex.EncodeToString(mac.Sum(nil))
}

// SignIn takes the token from a form, gives the browser its cookie and sends it on. It reports
// whether that was the token.
func (d *Door) SignIn(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	if !d.isToken(strings.TrimSpace(r.PostFormValue("token"))) {
		d.WrongToken(r)
		return false
	}
	//nolint:gosec // not Secure: TLS ends at a proxy, if anywhere, and the program does not see it
	http.SetCookie(w, &http.Cookie{Name: d.cookie, Value: d.proof(), Path: d.path + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, d.path+nextPath(r.PostFormValue("next")), http.StatusSeeOther) //nolint:gosec // see nextPath
	return true
}

// nextPath is where to go on: nowhere else than here.
func nextPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "..") || strings.Contains(next, `\`) {
		return "/"
	}
	return u.RequestURI()
}
