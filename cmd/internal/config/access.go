package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

// AccessError says that a server answers and that one of the two does not let the other in. Waiting
// does not mend that: a setting does, or a certificate. Its text names which in one line, and holds
// no secret.
type AccessError struct {
	Reason string // a word for metrics: see the constants
	says   string
	err    error
}

// The reasons of an AccessError.
const (
	RefusedPassword    = "password"
	RefusedUser        = "user"
	RefusedMechanism   = "mechanism"
	RefusedDatabase    = "database"
	RefusedOption      = "option"
	RefusedServer      = "server"
	RefusedRight       = "right"
	RefusedCertificate = "client_certificate"
	UnknownAuthority   = "unknown_authority"
	ExpiredCertificate = "expired_certificate"
	OtherHostName      = "host_name"
	BadCertificate     = "certificate"
	NoTLS              = "no_tls"
	OtherProtocol      = "protocol"
	BadFile            = "file"
)

func (e *AccessError) Error() string { return e.says }
func (e *AccessError) Unwrap() error { return e.err }

func refusal(reason string, err error, format string, args ...any) error {
	return &AccessError{Reason: reason, says: fmt.Sprintf(format, args...), err: err}
}

// explain gives the first explanation of an error, or the *AccessError that it is already. An error
// that none explains is left as it is.
func explain(err error, explanations ...func(error) error) error {
	var known *AccessError
	if err == nil {
		return nil
	}
	if errors.As(err, &known) {
		return known
	}
	for _, explanation := range explanations {
		if explained := explanation(err); explained != nil {
			return explained
		}
	}
	return err
}

// party is a server as a user knows it: its name, and the settings that say where it is, whom to
// trust, and who this is.
type party struct {
	name        string
	hosts       string
	authority   string
	certificate string
	encryption  string
}

// explainTLS tells what is wrong with a TLS connection, or returns nil where that is not what
// failed.
func (p party) explainTLS(err error) error {
	var (
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		other     *tls.CertificateVerificationError
		noTLS     tls.RecordHeaderError
		remote    *net.OpError
	)
	switch {
	case errors.As(err, &host):
		return refusal(OtherHostName, err, "%s's certificate is for another host name: %v; name the server by %s as its certificate does, or give it a certificate for that name",
			p.name, host, p.hosts)
	case errors.As(err, &authority):
		return refusal(UnknownAuthority, err, "%s's certificate is signed by an authority that %s does not have: put the certificate of the server's authority there",
			p.name, p.authority)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return p.explainExpired(err, invalid.Cert)
	case errors.As(err, &other):
		return refusal(BadCertificate, err, "%s's certificate cannot be trusted: %v; see %s", p.name, other.Err, p.authority)
	case errors.As(err, &noTLS):
		return refusal(NoTLS, err, "%s does not speak TLS there: see %s, and the port in %s", p.name, p.encryption, p.hosts)
	case errors.As(err, &remote) && remote.Op == "remote error":
		return refusal(RefusedCertificate, err, "%s refuses this client's certificate (%v): see %s; it must be valid, and signed by an authority that the server trusts",
			p.name, remote.Err, p.certificate)
	}
	return nil
}

// explainExpired blames the certificate that is out of its time: the server's, or an authority's
// that this side trusts.
func (p party) explainExpired(err error, c *x509.Certificate) error {
	what := "certificate"
	if c.IsCA {
		what = "authority, " + p.authority + ","
	}
	now := time.Now()
	if now.Before(c.NotBefore) {
		return refusal(ExpiredCertificate, err, "%s's %s is not valid before %s: is the clock of this machine right?", p.name, what, c.NotBefore.Format(time.RFC3339))
	}
	return refusal(ExpiredCertificate, err, "%s's %s expired at %s: renew it, on the server first", p.name, what, c.NotAfter.Format(time.RFC3339))
}

// checkExpiry reports whether the certificate that this client shows can still be used: not every
// server says why it hangs up.
func (p party) checkExpiry(config *tls.Config) error {
	if config == nil {
		return nil
	}
	for _, pair := range config.Certificates {
		leaf := pair.Leaf
		if leaf == nil {
			continue
		}
		if time.Now().After(leaf.NotAfter) {
			return refusal(RefusedCertificate, nil, "this client's certificate for %s expired at %s: renew %s", p.name, leaf.NotAfter.Format(time.RFC3339), p.certificate)
		}
	}
	return nil
}
