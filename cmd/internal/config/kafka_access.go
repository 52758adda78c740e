package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func (k Kafka) party() party {
	return party{
		name: "Kafka", hosts: k.prefix + "KAFKA_BROKERS (or the brokers' own advertised.listeners)",
		authority: named(k.prefix+"KAFKA_TLS_CA_FILE", k.TLSCAFile), certificate: named(k.prefix+"KAFKA_TLS_CERT_FILE", k.TLSCertFile),
		encryption: named(k.prefix+"KAFKA_SECURITY_PROTOCOL", k.SecurityProtocol),
	}
}

// Explain names the setting at fault where Kafka and this process do not let each other in: as an
// *AccessError. Other errors it leaves as they are.
func (k Kafka) Explain(err error) error {
	return explain(err, k.explainRefusal, k.explainProtocol, k.party().explainTLS)
}

func (k Kafka) explainRefusal(err error) error {
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return refusal(RefusedPassword, err, "Kafka refuses the user %s by %s: the password in %s is not this user's, or %sKAFKA_SASL_USERNAME is no user there",
			k.SASLUsername, k.SASLMechanism, k.password().where(), k.prefix)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return refusal(RefusedMechanism, err, "Kafka does not take %sKAFKA_SASL_MECHANISM %s there: use another that the brokers have enabled", k.prefix, k.SASLMechanism)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return refusal(RefusedRight, err, "Kafka's access rules do not let the user %s into the consumer group (GROUP_AUTHORIZATION_FAILED): "+
			"allow it Read on the group in %sKAFKA_GROUP_ID, as SECURITY.md lists", cmp.Or(k.SASLUsername, "of this client"), k.prefix)
	}
	return nil
}

// explainProtocol tells that a listener speaks another security protocol, or returns nil where that
// is not what failed.
func (k Kafka) explainProtocol(err error) error {
	other := "or name another listener's port in " + k.prefix + "KAFKA_BROKERS"
	protocol := k.prefix + "KAFKA_SECURITY_PROTOCOL " + k.SecurityProtocol
	hangUp := (*kgo.ErrFirstReadEOF)(nil)
	switch text := err.Error(); {
	case errors.Is(err, kerr.IllegalSaslState):
		return refusal(OtherProtocol, err, "Kafka takes no passwords there, and %s sends one: use %s, %s",
			protocol, strings.TrimPrefix(k.SecurityProtocol, "SASL_"), other)
	case strings.Contains(text, "appear to be a tls alert record"): // the client has no type for it
		return refusal(OtherProtocol, err, "Kafka speaks TLS there, and %s does not: use SSL or SASL_SSL, %s", protocol, other)
	case strings.Contains(text, "the beginning of an HTTP response"):
		return refusal(OtherProtocol, err, "what answers there is a web server and not Kafka: see %sKAFKA_BROKERS (%s)", k.prefix, k.Brokers)
	case errors.As(err, &hangUp): // a broker that stops, or a proxy in front of it, does that, too
		return fmt.Errorf("Kafka hangs up on %s; does the listener want another one, such as %s? %w", protocol, k.likely(), err)
	}
	return nil
}

// likely is the security protocol that was meant where a listener hangs up.
func (k Kafka) likely() string {
	switch k.SecurityProtocol {
	case protocolSSL:
		return protocolSASLSSL
	case protocolSASLPlaintext:
		return protocolSASLSSL
	}
	return protocolSASLPlaintext + " or " + protocolSSL
}

// named is a setting with its value, where it has one.
func named(setting, value string) string {
	if value == "" {
		return setting + " (not set)"
	}
	return setting + " (" + value + ")"
}
