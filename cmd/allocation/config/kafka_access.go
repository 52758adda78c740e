package config

import (
	"cmp"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

func (k Kafka) party() party {
	return party{
		name: "Kafka", hosts: "KAFKA_BROKERS (or the brokers' own advertised.listeners)",
		authority: named("KAFKA_TLS_CA_FILE", k.TLSCAFile), certificate: named("KAFKA_TLS_CERT_FILE", k.TLSCertFile),
		encryption: named("KAFKA_SECURITY_PROTOCOL", k.SecurityProtocol),
	}
}

// Explain names the setting at fault where Kafka and this process do not let each other in: as an *AccessError. Other errors it leaves as they are.
func (k Kafka) Explain(err error) error {
	var known *AccessError
	if err == nil {
		return nil
	}
	if errors.As(err, &known) {
		return known
	}
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return refusal(RefusedPassword, err, "Kafka refuses the user %s by %s: the password in %s is not this user's, or KAFKA_SASL_USERNAME is no user there",
			k.SASLUsername, k.SASLMechanism, k.password().where())
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return refusal(RefusedMechanism, err, "Kafka does not take KAFKA_SASL_MECHANISM %s there: use another that the brokers have enabled", k.SASLMechanism)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return refusal(RefusedRight, err, "Kafka's access rules do not let the user %s into the consumer group (GROUP_AUTHORIZATION_FAILED): "+
			"allow it Read on the group in KAFKA_GROUP_ID, as SECURITY.md lists", cmp.Or(k.SASLUsername, "of this client"))
	}
	if explained := k.party().explainTLS(err); explained != nil {
		return explained
	}
	return err
}

// named is a setting with its value, where it has one.
func named(setting, value string) string {
	if value == "" {
		return setting + " (not set)"
	}
	return setting + " (" + value + ")"
}
